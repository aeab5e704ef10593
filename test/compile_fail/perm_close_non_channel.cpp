// expect: error: (request for member .*close.* non-class|member reference base type 'int')
// Go: test/chan/perm.go, close(n)
#include <tenon/tenon.hpp>

void f(int n) { n.close(); }
