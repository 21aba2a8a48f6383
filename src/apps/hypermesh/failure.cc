// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/failure.h"

#include <string_view>
#include <utility>

namespace hm::cli {
namespace {

std::string_view remedy_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::Unavailable:
      return "start a mesh with 'hypermesh dev', or name a node with --api URL";
    case ErrorCode::Busy: return "try again in a moment";
    case ErrorCode::NoCapacity: return "free some of it, then try again";
    case ErrorCode::Corrupt: return "see the log of the node; 'hypermesh ledger verify' checks it";
    case ErrorCode::PermissionDenied:
    case ErrorCode::Unauthenticated: return "use the key of the owner: --key FILE";
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::AlreadyExists:
    case ErrorCode::FailedPrecondition:
    case ErrorCode::Unsupported:
    case ErrorCode::Io: return "";
  }
  return "";
}

}  // namespace

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Unavailable: return ExitCode::NotReachable;
    case ErrorCode::PermissionDenied:
    case ErrorCode::Unauthenticated: return ExitCode::Denied;
    case ErrorCode::Busy:
    case ErrorCode::NoCapacity: return ExitCode::NoCapacity;
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::AlreadyExists:
    case ErrorCode::FailedPrecondition:
    case ErrorCode::Corrupt:
    case ErrorCode::Unsupported:
    case ErrorCode::Io: return ExitCode::Failure;
  }
  return ExitCode::Failure;
}

Failure failure_of(const Error& error, std::string to_do) {
  if (to_do.empty()) to_do = remedy_for(error.code);
  return {exit_code_of(error.code), error.message, error.detail, std::move(to_do)};
}

Failure completed(Failure failure) {
  if (failure.why.empty()) {
    switch (failure.exit) {
      case ExitCode::Usage: failure.why = "the command line does not say what is needed"; break;
      case ExitCode::NotReachable: failure.why = "the connection failed"; break;
      case ExitCode::Denied: failure.why = "it is not allowed to this user or key"; break;
      case ExitCode::NoCapacity: failure.why = "there is no room for it now"; break;
      case ExitCode::Success:
      case ExitCode::Failure: failure.why = "it cannot be done as things are"; break;
    }
  }
  if (failure.to_do.empty()) {
    failure.to_do = failure.exit == ExitCode::Usage
                        ? "hypermesh --help"
                        : "mend that and try again; 'hypermesh doctor' checks this machine";
  }
  return failure;
}

std::unexpected<Failure> failed(ExitCode exit, std::string what, std::string why,
                                std::string to_do) {
  return std::unexpected(Failure{exit, std::move(what), std::move(why), std::move(to_do)});
}

}  // namespace hm::cli
