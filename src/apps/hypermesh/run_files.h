// SPDX-License-Identifier: Apache-2.0
// The runs and services that a node remembers (node/hosting/container_desk.h, service_record.h),
// one file each in its folder. They outlive the process, however it ends. A machine that loses
// power may lose the last of them; it has lost what ran too, and the leases end by themselves.
#pragma once

#include <optional>
#include <vector>

#include "apps/hypermesh/folders.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "node/hosting/service_record.h"

namespace hm::cli {

Result<std::vector<Bytes>> read_runs(const NodeFolder& folder);
// None: it is forgotten.
Result<void> write_run(const NodeFolder& folder, const hosting::RunId& run,
                       const std::optional<Bytes>& record);

Result<std::vector<Bytes>> read_services(const NodeFolder& folder);
Result<void> write_service(const NodeFolder& folder, const hosting::ServiceId& service,
                           const std::optional<Bytes>& record);

}  // namespace hm::cli
