module tenon/cross_x

go 1.23

require (
	golang.org/x/sync v0.10.0
	golang.org/x/time v0.9.0
)
