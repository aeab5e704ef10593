#pragma once

/// `into(c, v)`: the receive case of one select, with its value in a variable afterwards: for tables of cases, where names would say
/// nothing. An optional is empty when the channel is closed, any other variable is value-initialised, as Go's is.

#include <optional>
#include <utility>

#include <tenon/select.hpp>

namespace tenon_test {

template <class T, class V>
class into_case : public tenon::recv_case<T> {
 public:
  template <class C>
  into_case(C&& c, V& v) : tenon::recv_case<T>(tenon::recv(std::forward<C>(c))), v_(v) {}
  into_case(const into_case&) = delete;
  into_case& operator=(const into_case&) = delete;
  ~into_case() {
    if (!*this) return;
    if (this->closed()) {
      v_ = V();
    } else {
      v_ = std::move(**this);
    }
  }

 private:
  V& v_;
};

template <class C>
auto into(C&& c, typename std::remove_cvref_t<C>::value_type& v) {
  using T = typename std::remove_cvref_t<C>::value_type;
  return into_case<T, T>(std::forward<C>(c), v);
}
template <class C>
auto into(C&& c, std::optional<typename std::remove_cvref_t<C>::value_type>& v) {
  using T = typename std::remove_cvref_t<C>::value_type;
  return into_case<T, std::optional<T>>(std::forward<C>(c), v);
}

}  // namespace tenon_test
