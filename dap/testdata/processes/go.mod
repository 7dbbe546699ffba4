module example.org/processes

go 1.26
