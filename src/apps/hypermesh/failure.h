// SPDX-License-Identifier: Apache-2.0
// How a command ends: the exit codes that scripts may rely on (docs/guide/cli.md) and the three
// lines that an error is told in: what happened, why, and what to do about it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "foundation/base/error.h"

namespace hm::cli {

enum class ExitCode : std::uint8_t {
  Success = 0,
  Failure = 1,
  Usage = 2,         // the command line is wrong
  NotReachable = 3,  // no node answers
  Denied = 4,        // the node or the operating system does not allow it
  NoCapacity = 5,    // overloaded or used up; later may work
};

struct Failure {
  ExitCode exit = ExitCode::Failure;
  std::string what;
  std::string why;    // may be empty: see completed()
  std::string to_do;  // may be empty
};

using Outcome = std::expected<void, Failure>;
template <class T>
using Answer = std::expected<T, Failure>;

ExitCode exit_code_of(ErrorCode code);

// The error's message and detail, with what to do by its code unless the caller knows better.
Failure failure_of(const Error& error, std::string to_do = {});

// The failure with a word in each of its three lines: what its exit code says where nothing better
// is known.
Failure completed(Failure failure);

std::unexpected<Failure> failed(ExitCode exit, std::string what, std::string why = {},
                                std::string to_do = {});

}  // namespace hm::cli

// Like HM_TRY of base/result.h, for functions that end with a Failure; takes Result<T, Error> and
// Answer<T> alike.
#define HM_CLI_TRY(declaration, expression) \
  HM_CLI_TRY_INNER(HM_CONCAT(hm_cli_try_, __LINE__), declaration, expression)
#define HM_CLI_TRY_INNER(name, declaration, expression)                             \
  auto name = (expression);                                                         \
  if (!name) [[unlikely]]                                                           \
    return std::unexpected(::hm::cli::detail::as_failure(std::move(name).error())); \
  declaration = std::move(*name)
#define HM_CLI_TRY_VOID(expression)                                                            \
  do {                                                                                         \
    if (auto hm_cli_result = (expression); !hm_cli_result) [[unlikely]] {                      \
      return std::unexpected(::hm::cli::detail::as_failure(std::move(hm_cli_result).error())); \
    }                                                                                          \
  } while (false)

namespace hm::cli::detail {
inline Failure as_failure(Failure failure) { return failure; }
inline Failure as_failure(const Error& error) { return failure_of(error); }
}  // namespace hm::cli::detail
