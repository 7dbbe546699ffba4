package inject

// injectedTrees is empty: the simulated kernel has no arm64 face yet, and
// newGoroot refuses hosts that are not linux/amd64.
var injectedTrees []injectedTree
