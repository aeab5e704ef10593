// expect: error: .*tenon needs exceptions
// options: -fno-exceptions
