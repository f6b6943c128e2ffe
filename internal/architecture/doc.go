// Package architecture holds the tests that keep the house in shape: who may
// import whom, and that every package says what it is for. It has no code.
package architecture
