//go:build unix && !race

package hosting

// raceDetector says whether this test, and its apps, are built with -race.
const raceDetector = false
