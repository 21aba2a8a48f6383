// SPDX-License-Identifier: Apache-2.0
// The tables of functions through which ngtcp2 reaches a Connection.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>

#include "core/stoq/incident.h"

namespace hm::quic {

ngtcp2_callbacks client_callbacks();
ngtcp2_callbacks server_callbacks();

// What a TLS alert that ends our side of a handshake means.
stoq::Incident incident_of_alert(std::uint8_t alert);

}  // namespace hm::quic
