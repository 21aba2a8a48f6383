// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/doctor.h"

#include "platform/linux/doctor_checks.h"

namespace hm::linux {

std::string_view name_of(DoctorVerdict verdict) {
  switch (verdict) {
    case DoctorVerdict::Ok: return "ok";
    case DoctorVerdict::Limited: return "limited";
    case DoctorVerdict::No: return "no";
    case DoctorVerdict::Unknown: return "unknown";
  }
  return "unknown";
}

DoctorCheck judge(std::string_view name, std::string_view title, const Attempt& attempt,
                  const Consequence& otherwise) {
  DoctorVerdict verdict = DoctorVerdict::Unknown;
  if (attempt.outcome == Outcome::Works) verdict = DoctorVerdict::Ok;
  if (attempt.outcome == Outcome::Fails) verdict = DoctorVerdict::No;
  return judge(name, title, verdict, attempt.text, otherwise);
}

DoctorCheck judge(std::string_view name, std::string_view title, DoctorVerdict verdict,
                  std::string found, const Consequence& otherwise) {
  DoctorCheck check{.name = std::string(name),
                    .title = std::string(title),
                    .verdict = verdict,
                    .found = std::move(found)};
  if (check.found.empty()) check.found = verdict == DoctorVerdict::Ok ? "works" : "not known";
  if (verdict != DoctorVerdict::Ok) {
    check.costs = otherwise.costs;
    check.remedy = otherwise.remedy;
  }
  return check;
}

std::vector<DoctorCheck> run_doctor(const DoctorOptions& options) {
  Checks checks;
  check_system(options, checks);
  check_containers(options, checks);
  check_storage(options, checks);
  check_memory(options, checks);
  check_network(options, checks);
  return checks;
}

}  // namespace hm::linux
