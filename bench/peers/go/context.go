package main

import "context"

// contextCancel: n times: make a context and a child of it, cancel the former and see the latter canceled.
func contextCancel(n int) error {
	canceled := 0
	for range n {
		parent, cancelParent := context.WithCancel(context.Background())
		child, cancelChild := context.WithCancel(parent)
		done := child.Done()
		cancelParent()
		<-done
		if child.Err() == context.Canceled {
			canceled++
		}
		cancelChild()
	}
	return expect("the number of contexts seen canceled", canceled, n)
}

const treeDepth = 100

// contextTree: a parent with so many children is canceled; each child is asked, then released.
func contextTree(width int) func(n int) error {
	return func(n int) error {
		children := make([]context.Context, width)
		cancels := make([]context.CancelFunc, width)
		canceled := 0
		for range n / width {
			parent, cancel := context.WithCancel(context.Background())
			for i := range children {
				children[i], cancels[i] = context.WithCancel(parent)
			}
			cancel()
			for i, child := range children {
				if child.Err() == context.Canceled {
					canceled++
				}
				cancels[i]()
			}
		}
		return expect("the number of children seen canceled", canceled, n)
	}
}

// contextDepth: the first of a chain of a hundred is canceled; each is asked, then released.
func contextDepth(n int) error {
	canceled := 0
	for range n / treeDepth {
		var chain [treeDepth]context.Context
		var cancels [treeDepth]context.CancelFunc
		parent := context.Background()
		for i := range chain {
			chain[i], cancels[i] = context.WithCancel(parent)
			parent = chain[i]
		}
		cancels[0]()
		for i, one := range chain {
			if one.Err() == context.Canceled {
				canceled++
			}
			cancels[i]()
		}
	}
	return expect("the number of descendants seen canceled", canceled, n)
}

// contextPoll: asks a context that is not canceled.
func contextPoll(n int) error {
	parent, cancelParent := context.WithCancel(context.Background())
	defer cancelParent()
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	live := 0
	for range n {
		if ctx.Err() == nil {
			live++
		}
	}
	return expect("the number of polls before the end", live, n)
}
