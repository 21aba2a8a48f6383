// SPDX-License-Identifier: Apache-2.0
// Members that several requests about containers have. For the decoders of this module.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/api/json_members.h"
#include "core/containers/run_spec.h"
#include "core/ledger/lease.h"

namespace hm::api {

Decoded<std::string> needed_text(Members& members, const char* name, std::size_t most = kMaxText);

// Leaves `value` as it is where the member is absent.
template <class T>
Result<void, BadRequest> take_number(Members& members, const char* name, T& value) {
  HM_TRY(const auto number, members.number(name));
  if (!number) return {};
  if (*number > std::numeric_limits<T>::max()) return bad(members.path_of(name), "is too large");
  value = static_cast<T>(*number);
  return {};
}

// Each entry of a list of objects.
template <class T>
Result<void, BadRequest> take_each(Members& members, const char* name, std::size_t most,
                                   Decoded<T> (*take)(Members&), std::vector<T>& into) {
  auto list = members.take(name);
  if (!list) return {};
  if (!list->is_array()) return bad(members.path_of(name), "is not a list");
  if (list->size() > most) return bad(members.path_of(name), "is too long");
  for (Json& entry : *list) {
    HM_TRY(Members inner, Members::of(std::move(entry), members.path_of(name)));
    HM_TRY(T taken, take(inner));
    into.push_back(std::move(taken));
    HM_TRY_VOID(inner.finish());
  }
  return {};
}

// A process of its own, or a whole spec, which is valid then.
Result<void, BadRequest> take_process(Members& members, containers::ProcessSpec& process);
Result<void, BadRequest> take_spec(Members& members, containers::RunSpec& spec);

Decoded<std::vector<ledger::LeaseId>> take_leases(Members& members);

}  // namespace hm::api
