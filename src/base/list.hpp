#pragma once

// Intrusive doubly linked list. Links are public members `next` and `prev` of T; an element is in at most one list. No
// synchronisation: the list's owner has a lock.

namespace tenon {

template <class T>
class list {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  [[nodiscard]] T* front() const noexcept { return head_; }
  [[nodiscard]] T* back() const noexcept { return tail_; }

  void push_back(T* e) noexcept {
    e->next = nullptr;
    e->prev = tail_;
    (tail_ != nullptr ? tail_->next : head_) = e;
    tail_ = e;
  }

  void push_front(T* e) noexcept {
    e->prev = nullptr;
    e->next = head_;
    (head_ != nullptr ? head_->prev : tail_) = e;
    head_ = e;
  }

  void remove(T* e) noexcept {
    (e->prev != nullptr ? e->prev->next : head_) = e->next;
    (e->next != nullptr ? e->next->prev : tail_) = e->prev;
    e->next = e->prev = nullptr;
  }

  T* pop_front() noexcept {
    T* e = head_;
    if (e != nullptr) remove(e);
    return e;
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
};

}  // namespace tenon
