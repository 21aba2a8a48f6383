// SPDX-License-Identifier: Apache-2.0
// Result<T, E>: a value or the reason why there is none. Dropping one is a compile error.
// In core/ E is the module's own enumeration; from ports/ up it is hm::Error.
#pragma once

#include <expected>
#include <utility>

#include "foundation/base/error.h"

namespace hm {

template <class T, class E = Error>
class [[nodiscard]] Result : public std::expected<T, E> {
 public:
  using std::expected<T, E>::expected;
};

// `return fail(X)` makes a failed Result of any value type.
template <class E>
[[nodiscard]] std::unexpected<std::decay_t<E>> fail(E&& error) {
  return std::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string detail = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(detail)});
}

}  // namespace hm

// Evaluates a Result; on failure returns its error from the enclosing function, otherwise yields
// the value. `HM_TRY(auto x, parse(y));` declares x; `HM_TRY_VOID(write(x));` drops a void value.
#define HM_CONCAT_INNER(a, b) a##b
#define HM_CONCAT(a, b) HM_CONCAT_INNER(a, b)
#define HM_TRY(declaration, expression) \
  HM_TRY_INNER(HM_CONCAT(hm_try_, __LINE__), declaration, expression)
#define HM_TRY_INNER(name, declaration, expression) \
  auto name = (expression);                         \
  if (!name) [[unlikely]]                           \
    return ::hm::fail(std::move(name).error());     \
  declaration = std::move(*name)
#define HM_TRY_VOID(expression)                                           \
  do {                                                                    \
    if (auto hm_try_result = (expression); !hm_try_result) [[unlikely]] { \
      return ::hm::fail(std::move(hm_try_result).error());                \
    }                                                                     \
  } while (false)
