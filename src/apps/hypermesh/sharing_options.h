// SPDX-License-Identifier: Apache-2.0
// The options of the commands of sharing: who may use what, and taking it back. Words as they were
// typed; grant_words.h reads those of a grant.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hm::cli {

// What a grant says besides whose and to whom, on the command line and in a policy file. Absent
// means no limit, or what the grant that is passed on says.
struct GrantWords {
  std::string share;                      // "50%"
  std::optional<std::string> network;     // "none", "mesh", "internet"
  std::optional<std::string> hours;       // "20-08", "20:30-08:00"
  std::optional<std::string> days;        // "mon-fri", "sat,sun"
  std::optional<std::string> utc_offset;  // "+02:00"
  std::optional<std::string> when;        // "always", "idle"
  std::optional<std::string> price;       // "0", "0.5/GiB"
  std::optional<std::string> at_most;     // leases at one time
  std::optional<std::string> largest;     // quantity of one lease
  std::optional<std::string> longest;     // "24h"
  std::optional<std::string> per_day;
  std::optional<std::string> notice;  // "10m"
  std::optional<std::string> until;   // "2026-12-31", "30d"
  std::optional<std::string> may_delegate;
};

struct Share {
  std::string what;  // a kind, or an asset's id or unique prefix
  GrantWords words;
  std::vector<std::string> with;  // OWNER, group:NAME, cert:PATTERN[@ISSUER], anyone
  std::optional<std::string> level;
  std::string from;  // the grant to pass on; empty: of one's own assets
  bool yes = false;
};
struct Unshare {
  std::string what;  // a grant's id or unique prefix, or a kind
  bool all = false;
};
struct GrantsList {
  std::string of;  // an owner
  bool mine = false;
  bool to_me = false;
};
struct GrantsShow {
  std::string id;
};
struct PolicyTestFile {
  std::string file;
};

struct Pause {
  std::string asset;  // empty: everything on the node
};
struct Resume {
  std::string asset;
};
struct Revoke {
  std::string lease;
  bool all = false;
  bool now = false;
};

struct GroupSet {
  std::string name;
  std::vector<std::string> members;  // OWNER, cert:PATTERN[@ISSUER]
};
struct GroupShow {
  std::string name;
};
struct GroupList {
  std::string of;  // an owner; empty: the caller
};
struct GroupRemove {
  std::string name;
};
struct Certify {
  std::string subject;  // an owner
  std::string name;
  std::string duration = "90d";
};
struct FederateExport {
  std::string file = "-";
};
struct FederateSign {
  std::string file;
  std::string out = "-";
  std::optional<std::string> duration;  // of a new record
};
struct FederateRecord {
  std::string file;
};
struct FederateList {};

}  // namespace hm::cli
