module github.com/restep/restep

go 1.26
