#include <tenon/error.hpp>

#include <tenon/detail/atomic.hpp>
#include <tenon/panic.hpp>

#include "platform/fork.hpp"

// A node is immutable after construction and counted. The two errors that contexts end with are immortal.

namespace tenon {

struct error::node {
  detail::atomic<std::uint32_t> refs{1};  // each drop releases, the last one acquires
  bool immortal = false;
  bool has_message = false;
  std::string message;
  std::error_code code;
  std::exception_ptr failure;
  error cause;
};

namespace {

class category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tenon"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return "context canceled";
      case errc::deadline_exceeded: return "context deadline exceeded";
    }
    return "unknown error";
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return std::errc::operation_canceled;
      case errc::deadline_exceeded: return std::errc::timed_out;
    }
    return {value, *this};
  }
};

}  // namespace

struct error_access {
  static error adopt(error::node* n) noexcept { return error(n); }
  static error immortal(errc code) {
    auto* n = new error::node;
    n->immortal = true;
    n->code = code;
    return error(n);
  }
};

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

error canceled() noexcept {
  static const error& e = *new error(error_access::immortal(errc::canceled));
  return e;
}

error deadline_exceeded() noexcept {
  static const error& e = *new error(error_access::immortal(errc::deadline_exceeded));
  return e;
}

static const at_load errors_made([] {
  (void)canceled();
  (void)deadline_exceeded();
});

error::error(std::error_code code) {
  if (!code) return;
  node_ = new node;
  node_->code = code;
}

error::error(std::error_code code, std::string what) {
  node_ = new node;
  node_->code = code;
  node_->has_message = true;
  node_->message = std::move(what) + ": " + code.message();
}

error::error(std::exception_ptr failure) {
  if (!failure) return;
  node_ = new node;
  node_->failure = std::move(failure);
  node_->has_message = true;
  try {
    std::rethrow_exception(node_->failure);
  } catch (const std::system_error& e) {
    node_->code = e.code();
    node_->message = e.what();
  } catch (const std::exception& e) {
    node_->message = e.what();
  } catch (...) {
    node_->message = "an exception of unknown type";
  }
}

error::error(std::string message) : error(std::move(message), error()) {}

error::error(std::string message, error cause) {
  node_ = new node;
  node_->has_message = true;
  node_->message = std::move(message);
  node_->cause = std::move(cause);
}

error::node* error::share(node* n) noexcept {
  if (!n->immortal) n->refs.fetch_add(1, std::memory_order_relaxed);
  return n;
}

void error::drop() noexcept {
  // A loop: a goroutine's stack is too small to destroy a long chain of causes one inside the other.
  node* n = std::exchange(node_, nullptr);
  while (n != nullptr && !n->immortal && n->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    node* cause = std::exchange(n->cause.node_, nullptr);
    delete n;
    n = cause;
  }
}

std::string error::message() const {
  if (node_ == nullptr) return "<nil>";
  std::string text;
  for (const node* n = node_; n != nullptr; n = n->cause.node_) {
    if (n != node_) text += ": ";
    text += n->has_message ? n->message : n->code.message();
  }
  return text;
}

std::error_code error::code() const noexcept { return node_ == nullptr ? std::error_code() : node_->code; }

bool error::is(std::error_code code) const noexcept {
  for (const node* n = node_; n != nullptr; n = n->cause.node_) {
    if (n->code == code && code) return true;
  }
  return false;
}

bool error::is(std::error_condition condition) const noexcept {
  for (const node* n = node_; n != nullptr; n = n->cause.node_) {
    if (n->code && n->code == condition) return true;
  }
  return false;
}

error error::cause() const noexcept { return node_ == nullptr ? error() : node_->cause; }

void error::rethrow() const {
  if (node_ == nullptr) throw panic("tenon: rethrow of no error");
  if (node_->failure) std::rethrow_exception(node_->failure);
  if (node_->code && !node_->has_message) throw std::system_error(node_->code);
  if (node_->code) throw std::system_error(node_->code, node_->message);
  throw std::runtime_error(message());
}

std::exception_ptr error::exception() const noexcept { return node_ == nullptr ? nullptr : node_->failure; }

bool operator==(const error& a, const error& b) noexcept {
  if (a.node_ == b.node_) return true;
  if (a.node_ == nullptr || b.node_ == nullptr) return false;
  const auto bare = [](const error::node* n) { return n->code && !n->has_message; };
  return bare(a.node_) && bare(b.node_) && a.node_->code == b.node_->code;
}

}  // namespace tenon
