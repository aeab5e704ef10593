// Power series whose coefficients flow through channels: every operation is a goroutine or several, recursion makes new
// ones at each term, feedback loops tie their outputs to their inputs. After M. D. McIlroy, "Squinting at Power Series".
//
// A series is a pair of channels, one to ask on and one for the coefficients, constant term first; a finite one is closed
// after its last term. Nothing is computed before it is asked for.

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <ostream>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>

#include "support/into.hpp"

namespace {

class rational {
 public:
  rational(std::int64_t n = 0, std::int64_t d = 1) noexcept : num_(n), den_(d) {  // NOLINT: implicit, as a number is
    const std::int64_t common = std::gcd(n, d) * (d < 0 ? -1 : 1);
    if (common != 0) {
      num_ /= common;
      den_ /= common;
    }
  }
  friend rational operator+(rational a, rational b) noexcept {
    const std::int64_t common = std::gcd(a.den_, b.den_);
    return {a.num_ * (b.den_ / common) + b.num_ * (a.den_ / common), a.den_ / common * b.den_};
  }
  friend rational operator*(rational a, rational b) noexcept {
    const rational x(a.num_, b.den_);
    const rational y(b.num_, a.den_);
    return {x.num_ * y.num_, x.den_ * y.den_};
  }
  friend rational operator-(rational a) noexcept { return {-a.num_, a.den_}; }
  [[nodiscard]] rational inverse() const noexcept { return {den_, num_}; }
  friend bool operator==(rational a, rational b) noexcept = default;
  friend std::ostream& operator<<(std::ostream& out, rational r) { return out << r.num_ << '/' << r.den_; }

 private:
  std::int64_t num_;
  std::int64_t den_;
};

// How a coefficient travels: as it is, or as an owned object behind an interface.
struct by_value {
  using type = rational;
  static type pack(rational r) { return r; }
  static rational unpack(const type& t) { return t; }
};
struct number {
  virtual ~number() = default;
  [[nodiscard]] virtual rational value() const = 0;
};
struct plain_number final : number {
  explicit plain_number(rational r) noexcept : r_(r) {}
  [[nodiscard]] rational value() const override { return r_; }

 private:
  rational r_;
};
struct by_interface {
  using type = std::unique_ptr<number>;
  static type pack(rational r) { return std::make_unique<plain_number>(r); }
  static rational unpack(const type& t) { return t->value(); }
};

// A series: its reader asks, then gets an answer; the answers end when the series does.
template <class Cell>
struct stream {
  tenon::chan<void> ask;
  tenon::chan<Cell> answer;
};

// The operations. They own the goroutines that they start; destruction cancels and joins them.
template <class Carrier>
class algebra {
 public:
  using cell = typename Carrier::type;
  using series = stream<cell>;

  explicit algebra(const tenon::context& parent) : scope_(tenon::with_cancel(parent)), ctx_(scope_.ctx()) {}
  algebra(const algebra&) = delete;
  algebra& operator=(const algebra&) = delete;
  ~algebra() {
    scope_.cancel();
    stages_.wait();
  }

  // c + c x + c x² + …
  series repeat(rational c) {
    return generate([=, this](const series& z) {
      while (put(z, c)) {
      }
    });
  }
  series polynomial(std::vector<rational> terms) {
    return generate([this, terms = std::move(terms)](const series& z) {
      for (const rational t : terms) {
        if (!put(z, t)) return;
      }
    });
  }
  series scale(rational c, series u) {
    return generate([=, this](const series& z) {
      while (asked(z)) {
        const auto t = get(u);
        if (!t || !give(z, c * *t)) return;
      }
    });
  }
  // c + x u
  series shift(rational c, series u) {
    return generate([=, this](const series& z) {
      if (put(z, c)) copy(u, z);
    });
  }
  series add(series u, series v) {
    return generate([=, this](const series& z) {
      while (asked(z)) {
        const auto [a, b] = get_both(u, v);
        if (!a && !b) return;
        if (!give(z, a.value_or(0) + b.value_or(0))) return;
        if (!a) return copy(v, z);
        if (!b) return copy(u, z);
      }
    });
  }
  // (u0 + x U)(v0 + x V) = u0 v0 + x (u0 V + v0 U + x U V)
  series multiply(series u, series v) {
    return generate([=, this](const series& z) {
      if (!asked(z)) return;
      const auto [u0, v0] = get_both(u, v);
      if (!u0 || !v0 || !give(z, *u0 * *v0)) return;
      const auto [ua, ub] = split(u);
      const auto [va, vb] = split(v);
      const series once = add(scale(*u0, va), scale(*v0, ua));
      if (!asked(z)) return;
      const auto first = get(once);
      // With no first term both rests are empty, and with them their product.
      if (!first || !give(z, *first)) return;
      copy(add(once, multiply(ub, vb)), z);
    });
  }
  series differentiate(series u) {
    return generate([=, this](const series& z) {
      for (std::int64_t n = 1; asked(z); ++n) {
        if (n == 1 && !get(u)) return;
        const auto t = get(u);
        if (!t || !give(z, rational(n) * *t)) return;
      }
    });
  }
  series integrate(rational constant, series u) {
    return generate([=, this](const series& z) {
      if (!put(z, constant)) return;
      for (std::int64_t n = 1; asked(z); ++n) {
        const auto t = get(u);
        if (!t || !give(z, rational(1, n) * *t)) return;
      }
    });
  }
  // 1 / u, for u0 ≠ 0: with Z = z0 + x Y, z0 = 1 / u0 and Y = -z0 U Z
  series reciprocal(series u) {
    return generate([=, this](const series& z) {
      if (!asked(z)) return;
      const auto u0 = get(u);
      if (!u0) return;
      const rational z0 = u0->inverse();
      if (!give(z, z0)) return;
      const series feedback = make();
      const auto [out, back] = split(multiply(scale(-z0, u), shift(z0, feedback)));
      connect(back, feedback);
      copy(out, z);
    });
  }
  // exp(u), for u0 = 0: Z = 1 + ∫ Z u'
  series exponential(series u) {
    const series feedback = make();
    const auto [out, back] = split(integrate(1, multiply(feedback, differentiate(u))));
    connect(back, feedback);
    return out;
  }
  // u(v), for v0 = 0: u0 + x V U(v)
  series substitute(series u, series v) {
    return generate([=, this](const series& z) {
      if (!asked(z)) return;
      const auto u0 = get(u);
      if (!u0 || !give(z, *u0)) return;
      const auto [va, vb] = split(v);
      if (!get(va)) return;
      copy(multiply(va, substitute(u, vb)), z);
    });
  }
  // u(c xⁿ)
  series substitute_monomial(series u, rational c, int n) {
    return generate([=, this](const series& z) {
      rational power = 1;
      while (asked(z)) {
        const auto t = get(u);
        if (!t || !give(z, power * *t)) return;
        power = power * c;
        for (int i = 1; i < n; ++i) {
          if (!put(z, 0)) return;
        }
      }
    });
  }
  // The same series twice. Its readers may go at different speeds: what one of them has not read yet is kept for it. While
  // a term is on its way from `u`, those that are there go on to be read: a feedback loop needs that.
  std::pair<series, series> split(series u) {
    const series a = make();
    const series b = make();
    stages_.go([=, this] {
      branch to_a{a};
      branch to_b{b};
      bool more = true;
      bool on_its_way = false;
      while (true) {
        to_a.close_at_end(more);
        to_b.close_at_end(more);
        if (to_a.closed && to_b.closed) return;
        const bool wanted = more && (to_a.waits() || to_b.waits());
        std::optional<cell> in;
        cell next_a = to_a.next();
        cell next_b = to_b.next();
        switch (tenon::select(tenon::send(wanted && !on_its_way ? u.ask : nullptr),
                              tenon_test::into(wanted ? u.answer : nullptr, in), tenon::recv(to_a.ask()),
                              tenon::recv(to_b.ask()), tenon::send(to_a.answer(), std::move(next_a)),
                              tenon::send(to_b.answer(), std::move(next_b)), tenon::recv(ctx_.done()))) {
          case 0: on_its_way = true; break;
          case 1:
            on_its_way = false;
            more = in.has_value();
            if (!in) break;
            to_a.left.push_back(Carrier::unpack(*in));
            to_b.left.push_back(Carrier::unpack(*in));
            break;
          case 2: to_a.asked = true; break;
          case 3: to_b.asked = true; break;
          case 4: to_a.given(); break;
          case 5: to_b.given(); break;
          default: return;
        }
      }
    });
    return {a, b};
  }

  // The next term; none after the last one. An answer that comes unasked is the end.
  std::optional<rational> get(const series& u) const {
    std::optional<cell> c;
    if (tenon::select(tenon::send(u.ask), tenon::recv(u.answer), tenon::recv(ctx_.done())) == 0) {
      c = u.answer.recv(ctx_);
    }
    return c ? std::optional<rational>(Carrier::unpack(*c)) : std::nullopt;
  }

  void expect(const series& u, const std::vector<rational>& terms, const char* what) const {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      ASSERT_EQ(get(u), terms[i]) << what << ": coefficient " << i;
    }
  }
  void expect_end(const series& u, const char* what) const {
    EXPECT_EQ(get(u), std::nullopt) << what;
    EXPECT_FALSE(ctx_.err());
  }

 private:
  // One side of a split. A nil channel stands for what cannot be done now.
  struct branch {
    series to;
    std::deque<rational> left = {};
    bool asked = false;
    bool closed = false;
    [[nodiscard]] bool waits() const { return asked && left.empty(); }
    [[nodiscard]] cell next() const { return Carrier::pack(left.empty() ? rational() : left.front()); }
    [[nodiscard]] tenon::chan<void> ask() const { return asked || closed ? nullptr : to.ask; }
    [[nodiscard]] tenon::chan<cell> answer() const { return asked && !left.empty() ? to.answer : nullptr; }
    void given() {
      asked = false;
      left.pop_front();
    }
    void close_at_end(bool more) {
      if (more || closed || !left.empty()) return;
      to.answer.close();
      closed = true;
      asked = false;
    }
  };

  static series make() { return {tenon::make_chan<void>(), tenon::make_chan<cell>()}; }

  // Runs f(z), which asks and gives, and closes z behind it.
  template <class F>
  series generate(F f) {
    const series z = make();
    stages_.go([z, f = std::move(f)] {
      f(z);
      z.answer.close();
    });
    return z;
  }
  void connect(const series& from, const series& to) {
    stages_.go([=, this] {
      copy(from, to);
      to.answer.close();
    });
  }
  // Each is false when it is over.
  [[nodiscard]] bool asked(const series& z) const { return z.ask.recv(ctx_); }
  [[nodiscard]] bool give(const series& z, rational r) const { return z.answer.send(ctx_, Carrier::pack(r)); }
  [[nodiscard]] bool put(const series& z, rational r) const { return asked(z) && give(z, r); }
  void copy(const series& u, const series& z) const {
    while (asked(z)) {
      const auto t = get(u);
      if (!t || !give(z, *t)) return;
    }
  }
  // One term of each; both are asked at once, and heard in whatever order they answer.
  std::pair<std::optional<rational>, std::optional<rational>> get_both(series u, series v) const {
    std::optional<cell> a;
    std::optional<cell> b;
    for (int open = 2; open > 0;) {
      switch (tenon::select(tenon::send(u.ask), tenon::send(v.ask), tenon_test::into(u.answer, a),
                            tenon_test::into(v.answer, b), tenon::recv(ctx_.done()))) {
        case 0: u.ask = nullptr; break;
        case 1: v.ask = nullptr; break;
        case 2: u = {}, --open; break;
        case 3: v = {}, --open; break;
        default: return {};
      }
    }
    const auto value = [](const std::optional<cell>& c) {
      return c ? std::optional<rational>(Carrier::unpack(*c)) : std::nullopt;
    };
    return {value(a), value(b)};
  }

  tenon::cancel_scope scope_;
  tenon::context ctx_;
  tenon::wait_group stages_;
};

template <class Carrier>
class PowerSeries : public testing::Test {
 protected:
  template <class F>
  static void with(F f) {
    tenon::run([&](const tenon::context& ctx) {
      algebra<Carrier> series(ctx);
      f(series);
    });
  }
};

// Go: test/chan/powser1.go sends numbers, test/chan/powser2.go interfaces
using carriers = testing::Types<by_value, by_interface>;
TYPED_TEST_SUITE(PowerSeries, carriers);

const std::vector<rational> exponential_of_x = {1,        1,        {1, 2},    {1, 6},     {1, 24},
                                                {1, 120}, {1, 720}, {1, 5040}, {1, 40320}, {1, 362880}};

// Go: test/chan/powser1.go, Ones, Add, Cmul, Sub
TYPED_TEST(PowerSeries, AddsAndScales) {
  this->with([](auto& s) {
    s.expect(s.repeat(1), {1, 1, 1, 1, 1}, "1/(1-x)");
    s.expect(s.add(s.repeat(1), s.repeat(2)), {3, 3, 3, 3, 3}, "1/(1-x) + 2/(1-x)");
    s.expect(s.scale(-1, s.repeat(2)), {-2, -2, -2, -2, -2}, "-2/(1-x)");
    s.expect(s.add(s.repeat(1), s.scale(-1, s.repeat(2))), {-1, -1, -1, -1, -1}, "1/(1-x) - 2/(1-x)");
    s.expect(s.shift(7, s.repeat(1)), {7, 1, 1, 1}, "7 + x/(1-x)");
  });
}

// Go: test/chan/powser1.go, finite series end
TYPED_TEST(PowerSeries, FiniteOnesEnd) {
  this->with([](auto& s) {
    const auto sum = s.add(s.polynomial({1, 2}), s.polynomial({10, 20, 30, 40}));
    s.expect(sum, {11, 22, 30, 40}, "a sum");
    s.expect_end(sum, "a sum");
    const auto product = s.multiply(s.polynomial({1, 1}), s.polynomial({1, 2, 1}));
    s.expect(product, {1, 3, 3, 1}, "(1+x)³");
    const auto derived = s.differentiate(s.polynomial({5, 0, 3}));
    s.expect(derived, {0, 6}, "(5 + 3x²)'");
    s.expect_end(derived, "(5 + 3x²)'");
    const auto nothing = s.multiply(s.polynomial({}), s.repeat(1));
    s.expect_end(nothing, "0/(1-x)");
  });
}

// Go: test/chan/powser1.go, Mul
TYPED_TEST(PowerSeries, Multiplies) {
  this->with([](auto& s) {
    s.expect(s.multiply(s.repeat(1), s.repeat(1)), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "1/(1-x)²");
    s.expect(s.multiply(s.repeat(1), s.polynomial({1, -1})), {1, 0, 0, 0, 0}, "(1-x)/(1-x)");
  });
}

// Go: test/chan/powser1.go, Diff and Integ
TYPED_TEST(PowerSeries, DifferentiatesAndIntegrates) {
  this->with([](auto& s) {
    s.expect(s.differentiate(s.repeat(1)), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "(1/(1-x))'");
    s.expect(s.integrate(0, s.repeat(1)), {0, 1, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}}, "-log(1-x)");
    s.expect(s.differentiate(s.integrate(3, s.repeat(2))), {2, 2, 2, 2, 2}, "(∫)'");
  });
}

// Go: test/chan/powser1.go, Recip
TYPED_TEST(PowerSeries, Inverts) {
  this->with([](auto& s) {
    s.expect(s.reciprocal(s.polynomial({1, -1})), {1, 1, 1, 1, 1, 1, 1}, "1/(1-x)");
    s.expect(s.reciprocal(s.repeat(1)), {1, -1, 0, 0, 0, 0, 0}, "1 - x");
    s.expect(s.reciprocal(s.polynomial({1, -1, -1})), {1, 1, 2, 3, 5, 8, 13, 21}, "1/(1-x-x²), Fibonacci's");
    s.expect(s.reciprocal(s.polynomial({2, 1})), {{1, 2}, {-1, 4}, {1, 8}, {-1, 16}}, "1/(2+x)");
  });
}

// Go: test/chan/powser1.go, Exp
TYPED_TEST(PowerSeries, Exponentiates) {
  this->with([](auto& s) {
    s.expect(s.exponential(s.polynomial({0, 1})), exponential_of_x, "exp(x)");
    s.expect(s.exponential(s.integrate(0, s.repeat(1))), {1, 1, 1, 1, 1, 1, 1, 1}, "exp(-log(1-x))");
    s.expect(s.exponential(s.shift(0, s.repeat(1))), {1, 1, {3, 2}, {13, 6}, {73, 24}, {167, 40}, {4051, 720}},
             "exp(x/(1-x))");
  });
}

// Go: test/chan/powser1.go, Subst and MonSubst
TYPED_TEST(PowerSeries, Substitutes) {
  this->with([](auto& s) {
    s.expect(s.substitute(s.repeat(1), s.polynomial({0, 1, 1})), {1, 1, 2, 3, 5, 8, 13}, "1/(1-(x+x²))");
    s.expect(s.substitute(s.exponential(s.polynomial({0, 1})), s.polynomial({0, 2})),
             {1, 2, 2, {4, 3}, {2, 3}, {4, 15}}, "exp(2x)");
    s.expect(s.substitute_monomial(s.repeat(1), -1, 2), {1, 0, -1, 0, 1, 0, -1, 0}, "1/(1+x²)");
    s.expect(s.integrate(0, s.substitute_monomial(s.repeat(1), -1, 2)),
             {0, 1, 0, {-1, 3}, 0, {1, 5}, 0, {-1, 7}, 0, {1, 9}}, "arctan(x)");
  });
}

// Go: test/chan/powser1.go, Split: one series read at two speeds
TYPED_TEST(PowerSeries, SplitsForReadersOfAnySpeed) {
  this->with([](auto& s) {
    const auto [a, b] = s.split(s.differentiate(s.repeat(1)));
    s.expect(a, {1, 2, 3, 4, 5}, "ahead");
    s.expect(b, {1, 2}, "behind");
    s.expect(a, {6}, "ahead");
    s.expect(b, {3, 4, 5, 6, 7, 8}, "overtaking");
    s.expect(a, {7, 8, 9}, "overtaken");
    const auto [c, d] = s.split(s.polynomial({1, 2}));
    s.expect(c, {1, 2}, "one");
    s.expect_end(c, "one");
    s.expect(d, {1, 2}, "the other");
    s.expect_end(d, "the other");
  });
}

// Go: test/chan/powser1.go; identities that need everything at once
TYPED_TEST(PowerSeries, Identities) {
  this->with([](auto& s) {
    const auto up = s.exponential(s.polynomial({0, 1}));
    const auto down = s.exponential(s.polynomial({0, -1}));
    s.expect(s.multiply(up, down), {1, 0, 0, 0, 0, 0, 0}, "exp(x) exp(-x)");
    const auto e = s.exponential(s.polynomial({0, 1}));
    const auto [e1, e2] = s.split(e);
    s.expect(s.add(e1, s.scale(-1, s.differentiate(e2))), {0, 0, 0, 0, 0, 0, 0}, "exp(x) - exp(x)'");
  });
}

}  // namespace
