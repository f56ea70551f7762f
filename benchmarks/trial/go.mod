module winnow.dev/benchmarks/trial

go 1.24
