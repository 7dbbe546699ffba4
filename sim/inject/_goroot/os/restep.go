package os

import _ "internal/restep/kernel" // the simulated kernel is linked into every program
