package sim

// API is the number of the interface between this package and the restep
// command, which compares it with its own when it builds a test and says what
// to run when they differ. It grows whenever a function that the simulator
// provides (face_sim.go) is added, removed or changes its meaning.
const API = 4
