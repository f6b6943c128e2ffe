// Package other has types that rooms of another package take as arguments.
package other

// Open can be taken apart from anywhere.
type Open struct {
	Name  string
	Inner Inner
	List  []Inner
}

// Inner is a part of Open.
type Inner struct{ A, B int }

// Closed has a type in it that other packages cannot name.
type Closed struct{ Parts []part }

type part struct{ Text string }

// Half has a field that is nobody else's business.
type Half struct {
	Text string
	//lint:ignore U1000 as it says
	hidden []int
}

// Page is generic.
type Page[T any] struct {
	Items []T
	Next  *T
}
