#include "server/metrics.h"

#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/feedback_service.h"
#include "api/routes.h"
#include "server/histogram.h"

namespace mlpd::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Counter = std::atomic<std::uint64_t>;

constexpr std::array kRequestSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                        0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0};
constexpr std::array kComputeSeconds = {0.000001, 0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0};
constexpr std::array kBatchRows = {1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0};

constexpr int kStatusMin = 100;
constexpr int kStatusMax = 599;

/// One row of the routes' table.
struct RouteSeries {
  RouteSeries(std::string_view given_route, std::string_view given_method)
      : route(given_route), method(given_method) {}
  std::string_view route;
  std::string_view method;
  std::array<Counter, kStatusMax - kStatusMin + 1> statuses{};
  Histogram<kRequestSeconds.size()> seconds{kRequestSeconds};
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Families in order, each metric of the last one.
class Exposition {
 public:
  void family(const char* name, const char* help, MetricType type) {
    families_.push_back({std::string("mlpd_") + name, help, type, {}});
  }
  void value(double number, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = number;
    families_.back().metric.push_back(std::move(metric));
  }
  void counter(const char* name, const char* help, std::uint64_t number) {
    family(name, help, MetricType::Counter);
    value(static_cast<double>(number));
  }
  void gauge(const char* name, const char* help, double number) {
    family(name, help, MetricType::Gauge);
    value(number);
  }
  template <std::size_t N>
  void histogram(const Histogram<N>& from, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= N; ++i) {
      count += from.count(i);
      const double bound = i < N ? from.bounds()[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = from.sum();
    families_.back().metric.push_back(std::move(metric));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

}  // namespace

class Metrics::Impl {
 public:
  RouteSeries& series_of(std::string_view route, std::string_view method) {
    if (const auto found = routes_.find(route); found != routes_.end())
      for (const auto& series : found->second)
        if (series->method == method) return *series;
    return unmatched_;
  }
  void add_route(std::string_view route, std::string_view method) {
    routes_[route].push_back(std::make_unique<RouteSeries>(route, method));
  }

  void write_requests(Exposition& out);
  void write_listener(Exposition& out) const;
  void write_inference(Exposition& out) const;
  void write_feedback(Exposition& out) const;
  void write_training(Exposition& out, const api::SystemView& system);
  void write_store(Exposition& out, const api::SystemView& system) const;
  void write_process(Exposition& out, const api::SystemView& system) const;

  std::optional<Sources> sources_;
  std::map<std::string_view, std::vector<std::unique_ptr<RouteSeries>>> routes_;
  RouteSeries unmatched_{"unmatched", "any"};
  Counter received_bytes_{0};
  Counter sent_bytes_{0};
  Counter inference_rows_{0};
  Histogram<kComputeSeconds.size()> compute_seconds_{kComputeSeconds};
  Histogram<kBatchRows.size()> batch_rows_{kBatchRows};
  Counter steps_{0};
  Counter samples_{0};
  Counter succeeded_{0};
  Counter failed_{0};
  Counter cancelled_{0};
  std::mutex mutex_;
  std::map<std::string, double> losses_;  ///< guarded by mutex_
};

void Metrics::Impl::write_requests(Exposition& out) {
  std::vector<const RouteSeries*> all{&unmatched_};
  for (const auto& [route, methods] : routes_)
    for (const auto& series : methods) all.push_back(series.get());
  const auto labels = [](const RouteSeries& series) {
    return std::vector<ClientMetric::Label>{{"route", std::string(series.route)},
                                            {"method", std::string(series.method)}};
  };
  out.family("http_requests_total", "Answered requests by route, method and status code.",
             MetricType::Counter);
  for (const RouteSeries* series : all)
    for (std::size_t i = 0; i < series->statuses.size(); ++i) {
      const std::uint64_t count = series->statuses[i].load(std::memory_order_relaxed);
      if (count == 0) continue;
      auto with_code = labels(*series);
      with_code.push_back({"code", std::to_string(kStatusMin + static_cast<int>(i))});
      out.value(static_cast<double>(count), std::move(with_code));
    }
  out.family("http_request_duration_seconds", "From the whole header to the last byte of the answer.",
             MetricType::Histogram);
  for (const RouteSeries* series : all) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i <= kRequestSeconds.size(); ++i) seen += series->seconds.count(i);
    if (seen > 0) out.histogram(series->seconds, labels(*series));
  }
  out.counter("http_received_bytes_total", "Bytes of request bodies.", received_bytes_);
  out.counter("http_sent_bytes_total", "Bytes of answers, headers included.", sent_bytes_);
}

void Metrics::Impl::write_listener(Exposition& out) const {
  const ListenerStatistics now = sources_->listener();
  out.gauge("http_connections", "Open connections, event streams included.",
            static_cast<double>(now.connections));
  out.counter("http_connections_accepted_total", "Connections since start.", now.connections_total);
  out.gauge("event_streams", "Clients of server-sent events.", static_cast<double>(now.event_streams));
  out.gauge("http_workers", "Threads that serve requests.", static_cast<double>(now.workers));
  out.gauge("http_busy_workers", "Threads that serve a request now.", static_cast<double>(now.busy_workers));
  out.gauge("http_held_body_bytes", "Request bodies in memory.", static_cast<double>(now.bodies_bytes));
}

void Metrics::Impl::write_inference(Exposition& out) const {
  out.counter("inference_rows_total", "Rows predicted.", inference_rows_);
  out.family("inference_compute_seconds", "Time that a call of a network computed.", MetricType::Histogram);
  out.histogram(compute_seconds_);
  out.family("inference_batch_rows", "Rows of a call of a network.", MetricType::Histogram);
  out.histogram(batch_rows_);
}

void Metrics::Impl::write_feedback(Exposition& out) const {
  if (sources_->services.feedback == nullptr) return;
  using Network = api::FeedbackTotals::Network;
  const api::FeedbackTotals totals = sources_->services.feedback->totals();
  out.gauge("feedback_kept_numbers", "Answers of predictions that feedback can name.",
            static_cast<double>(totals.kept_numbers));
  out.gauge("shadow_waiting_numbers", "Inputs and answers that wait for shadows.",
            static_cast<double>(totals.waiting_numbers));
  const auto of_shadows = [&](const char* name, const char* help, double (*value)(const Network&)) {
    out.family(name, help, MetricType::Counter);
    for (const Network& network : totals.networks) out.value(value(network), {{"network", network.name}});
  };
  of_shadows("shadow_rows_total", "Rows that a shadow computed too, of 100 networks at most.",
             [](const Network& n) { return static_cast<double>(n.agreement.rows); });
  of_shadows("shadow_equal_rows_total", "Rows to which a shadow gave the same class.",
             [](const Network& n) { return static_cast<double>(n.agreement.equal); });
  of_shadows("shadow_absolute_difference_total", "Sum over rows of a shadow's mean absolute difference.",
             [](const Network& n) { return n.agreement.distance; });
  of_shadows("shadow_dropped_rows_total", "Rows that found too many waiting for shadows.",
             [](const Network& n) { return static_cast<double>(n.dropped); });
  of_shadows("shadow_failed_rows_total", "Rows that a shadow has no comparable answer to.",
             [](const Network& n) { return static_cast<double>(n.failed); });
  const auto of_feedback = [&](const char* name, const char* help, double (*value)(const api::Score&)) {
    out.family(name, help, MetricType::Counter);
    for (const Network& network : totals.networks) {
      out.value(value(network.truth), {{"network", network.name}, {"role", "answered"}});
      out.value(value(network.shadow), {{"network", network.name}, {"role", "shadow"}});
    }
  };
  of_feedback("feedback_rows_total", "Rows with a true answer, by who computed them.",
              [](const api::Score& score) { return static_cast<double>(score.rows); });
  of_feedback("feedback_correct_rows_total", "Rows with a true answer whose class was right.",
              [](const api::Score& score) { return static_cast<double>(score.equal); });
  of_feedback("feedback_absolute_error_total",
              "Sum over rows with a true answer of their mean absolute error.",
              [](const api::Score& score) { return score.distance; });
}

void Metrics::Impl::write_training(Exposition& out, const api::SystemView& system) {
  out.counter("training_steps_total", "Updates of parameters.", steps_);
  out.counter("training_samples_total", "Rows that updates were made from.", samples_);
  out.family("training_jobs", "Jobs that have not ended, by state.", MetricType::Gauge);
  out.value(static_cast<double>(system.jobs_queued), {{"state", "queued"}});
  out.value(static_cast<double>(system.jobs_running), {{"state", "running"}});
  out.family("training_jobs_ended_total", "Jobs that ended since start, by state.", MetricType::Counter);
  out.value(static_cast<double>(succeeded_), {{"state", "succeeded"}});
  out.value(static_cast<double>(failed_), {{"state", "failed"}});
  out.value(static_cast<double>(cancelled_), {{"state", "cancelled"}});
  out.family("training_loss", "Loss of the last record, of 100 networks at most.", MetricType::Gauge);
  const std::lock_guard lock(mutex_);
  for (const auto& [network, loss] : losses_) out.value(loss, {{"network", network}});
}

void Metrics::Impl::write_store(Exposition& out, const api::SystemView& system) const {
  out.gauge("networks", "Networks.", static_cast<double>(system.networks));
  out.counter("store_commits_total", "Journal writes made durable since start.", system.commits);
  out.counter("store_committed_bytes_total", "Bytes of journal writes made durable since start.",
              system.committed_bytes);
  out.gauge("store_bytes", "Size of the data folder's networks and training data.",
            static_cast<double>(system.disk_bytes));
  out.gauge("store_quarantined_files", "Damaged files that recovery set aside.",
            static_cast<double>(system.quarantined.size()));
  struct statvfs disk {};
  if (::statvfs(sources_->data_dir.c_str(), &disk) != 0) return;
  const auto block = static_cast<double>(disk.f_frsize);
  out.gauge("disk_free_bytes", "Room left on the data folder's disk.",
            block * static_cast<double>(disk.f_bavail));
  out.gauge("disk_size_bytes", "Size of the data folder's disk.", block * static_cast<double>(disk.f_blocks));
}

void Metrics::Impl::write_process(Exposition& out, const api::SystemView& system) const {
  out.family("build_info", "Always 1; the labels say what runs.", MetricType::Gauge);
  out.value(
      1,
      {{"version", system.version}, {"compiler", system.build}, {"instruction_set", system.instruction_set}});
  out.gauge("ready", "1 while requests are welcome, 0 while draining.",
            sources_->services.system.ready() ? 1 : 0);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  out.gauge("process_start_time_seconds", "Start, in seconds since the Unix epoch.",
            std::round(now.count() - system.uptime_s));
  out.gauge("process_resident_memory_bytes", "Memory in use.", static_cast<double>(system.memory_bytes));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  out.family("process_cpu_seconds_total", "Processor time used, of user and system.", MetricType::Counter);
  out.value(seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  out.gauge("process_max_fds", "File descriptors that the process may have.",
            static_cast<double>(files.rlim_cur));
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::watch(Sources sources) {
  for (const api::Route& route : api::make_routes(sources.services))
    impl_->add_route(route.pattern, route.method);
  impl_->add_route("/{asset}", "GET");
  impl_->sources_.emplace(std::move(sources));
}

void Metrics::record_request(const RequestRecord& request) {
  RouteSeries& series = impl_->series_of(request.pattern, request.method == "HEAD" ? "GET" : request.method);
  if (request.status >= kStatusMin && request.status <= kStatusMax)
    series.statuses[static_cast<std::size_t>(request.status - kStatusMin)].fetch_add(
        1, std::memory_order_relaxed);
  series.seconds.record(static_cast<double>(request.duration_us) / 1e6);
  impl_->received_bytes_.fetch_add(request.bytes_in, std::memory_order_relaxed);
  impl_->sent_bytes_.fetch_add(request.bytes_out, std::memory_order_relaxed);
}

void Metrics::on_slice(const std::string& network, std::uint64_t steps, std::uint64_t rows, double loss) {
  impl_->steps_.fetch_add(steps, std::memory_order_relaxed);
  impl_->samples_.fetch_add(rows, std::memory_order_relaxed);
  if (!std::isfinite(loss)) return;
  const std::lock_guard lock(impl_->mutex_);
  const auto found = impl_->losses_.find(network);
  if (found != impl_->losses_.end())
    found->second = loss;
  else if (impl_->losses_.size() < kLossNetworksMax)
    impl_->losses_.emplace(network, loss);
}

void Metrics::on_job(const api::JobView& job) {
  if (job.state == api::JobState::succeeded) ++impl_->succeeded_;
  if (job.state == api::JobState::failed) ++impl_->failed_;
  if (job.state == api::JobState::cancelled) ++impl_->cancelled_;
}

void Metrics::on_network_removed(const std::string& network) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->losses_.erase(network);
}

void Metrics::record_inference(std::size_t rows, double compute_seconds) {
  impl_->inference_rows_.fetch_add(rows, std::memory_order_relaxed);
  impl_->compute_seconds_.record(compute_seconds);
  impl_->batch_rows_.record(static_cast<double>(rows));
}

std::size_t Metrics::event_streams() const { return impl_->sources_->listener().event_streams; }

std::string Metrics::exposition() {
  const api::SystemView system = impl_->sources_->services.system.system();
  Exposition out;
  impl_->write_process(out, system);
  impl_->write_requests(out);
  impl_->write_listener(out);
  impl_->write_inference(out);
  impl_->write_feedback(out);
  impl_->write_training(out, system);
  impl_->write_store(out, system);
  return out.text();
}

}  // namespace mlpd::server
