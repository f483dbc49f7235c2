#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mlpd::core {

/// What kind of expected failure happened. api/problem.cpp alone maps these to HTTP status codes.
enum class ErrorCode {
  invalid_argument,
  not_found,
  already_exists,
  conflict,
  failed_precondition,
  resource_exhausted,
  unauthenticated,
  permission_denied,
  cancelled,
  corrupted,
  unavailable,
  internal,
};

/// One fault of a request body. `pointer` is an RFC 6901 fragment such as "#/layers/0/units".
struct FieldError {
  std::string pointer;
  std::string detail;
};

/// An expected failure: what kind, one sentence for a person (what is wrong and what to do), every faulty
/// field.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::vector<FieldError> fields = {};
};

/// Either a value or an Error. Reading the side that is not there is a programmer's error
/// (std::bad_variant_access).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace mlpd::core
