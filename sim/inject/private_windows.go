package inject

// makePrivate has nothing to do: the cache is below the user's profile, and
// nothing is run from there.
func makePrivate(string) error { return nil }
