// expect: error: (use of deleted function .*ctx|call to deleted member function)
// Go: vet's lostcancel
#include <tenon/tenon.hpp>

tenon::context f(const tenon::context& parent) { return tenon::with_cancel(parent).ctx(); }
