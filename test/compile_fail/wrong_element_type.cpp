// expect: error: no matching (member )?function for call to .*send
// Go: a channel of one type does not take values of another
#include <tenon/tenon.hpp>

struct apple {};
struct pear {};
void f(const tenon::chan<apple>& c) { c.send(pear{}); }
