#pragma once

/// `into(c, v)`: the receive case of one select, with its value in a variable afterwards: for tables of cases, where names would say
/// nothing. An optional is empty when the channel is closed, any other variable is value-initialised, as Go's is.
///
/// `case_list`: any number of cases of any kind, for the span form.

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

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

class case_list {
 public:
  template <class T>
  tenon::recv_case<T>& add(tenon::recv_case<T> c) {
    return hold(std::move(c));
  }
  template <class T>
  tenon::send_case<T>& add(tenon::send_case<T> c) {
    return hold(std::move(c));
  }
  [[nodiscard]] std::size_t size() const noexcept { return cases_.size(); }
  [[nodiscard]] tenon::select_case& operator[](std::size_t i) const noexcept { return *cases_[i]; }
  [[nodiscard]] std::span<tenon::select_case* const> span() const noexcept { return cases_; }
  void clear() {
    cases_.clear();
    held_.clear();
  }

 private:
  template <class C>
  C& hold(C c) {
    auto held = std::make_shared<C>(std::move(c));
    C& out = *held;
    cases_.push_back(&out);
    held_.push_back(std::move(held));
    return out;
  }
  std::vector<std::shared_ptr<void>> held_;
  std::vector<tenon::select_case*> cases_;
};

}  // namespace tenon_test
