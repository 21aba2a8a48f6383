// SPDX-License-Identifier: Apache-2.0
// The single checks behind run_doctor(), by the part of the system that needs them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/linux/doctor.h"
#include "platform/linux/doctor_trial.h"

namespace hm::linux {

// What a check says when the thing does not work.
struct Consequence {
  std::string_view costs;
  std::string_view remedy;
};

// Turns an attempt into a check: Works is Ok, Fails is No, anything else Unknown.
DoctorCheck judge(std::string_view name, std::string_view title, const Attempt& attempt,
                  const Consequence& otherwise);
// `verdict` other than Ok carries the consequence.
DoctorCheck judge(std::string_view name, std::string_view title, DoctorVerdict verdict,
                  std::string found, const Consequence& otherwise);

using Checks = std::vector<DoctorCheck>;
void check_containers(const DoctorOptions& options, Checks& checks);
void check_storage(const DoctorOptions& options, Checks& checks);
void check_memory(const DoctorOptions& options, Checks& checks);
void check_network(const DoctorOptions& options, Checks& checks);
void check_system(const DoctorOptions& options, Checks& checks);

// Cgroups are planted by tests, so this one stands alone. `try_folder` says whether making a folder
// is tried.
enum class CgroupTrial { MakeFolder, ReadOnly };
DoctorCheck check_cgroups(const DoctorOptions& options, CgroupTrial trial);
DoctorCheck check_capabilities(const DoctorOptions& options);
DoctorCheck check_activity(const DoctorOptions& options);

}  // namespace hm::linux
