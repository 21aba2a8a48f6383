// SPDX-License-Identifier: Apache-2.0
// The metrics that only the composition root knows: transport, HTTP server, process.
#pragma once

#include "node/hosting/container_host.h"
#include "node/hosting/service_keeper.h"
#include "node/http_api/metrics.h"
#include "node/storing/object_keeper.h"
#include "node/storing/shard_client.h"
#include "node/storing/shard_host.h"
#include "platform/http/http_server.h"
#include "platform/quic/quic_transport.h"

namespace hm::cli {

void add_transport_metrics(http_api::MetricsText& text, const quic::TransportStats& stats);
void add_server_metrics(http_api::MetricsText& text, const http::HttpServerCounters& counters);
void add_container_metrics(http_api::MetricsText& text, const hosting::SessionCounters& sessions,
                           const hosting::HostCounters& host, std::size_t runs);
void add_service_metrics(http_api::MetricsText& text, const hosting::ServiceKeeper& keeper);
// `host`: null where no shards are kept.
void add_shard_metrics(http_api::MetricsText& text, const storing::ShardHost* host,
                       const storing::ShardClientCounters& client);
// `keeper`: null where no objects are stored.
void add_object_metrics(http_api::MetricsText& text, const storing::ObjectKeeper* keeper);
void add_process_metrics(http_api::MetricsText& text);

}  // namespace hm::cli
