#include "server/event_broker.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "api/encode_job.h"
#include "api/json_writer.h"
#include "server/system_service.h"

namespace mlpd::server {
namespace {

std::string step_data(std::uint64_t step) {
  std::string data;
  api::JsonWriter out(data);
  out.begin_object().field("step", step).end_object();
  return data;
}

}  // namespace

/// The events of one network, oldest first.
struct EventBroker::Channel {
  const std::string tag = random_id();  ///< ids of another ring mean nothing in this one
  std::mutex mutex;                     ///< guards all below
  std::uint64_t next_number = 1;
  std::deque<std::string> ring;  ///< whole events; the last one has number next_number − 1
  std::vector<std::weak_ptr<Stream>> streams;
  std::optional<core::Record> waiting;  ///< the newest record that was not sent
  Clock::time_point record_at{};
  Clock::time_point used_at{};
  bool removed = false;

  std::string id(std::uint64_t number) const { return tag + "-" + std::to_string(number); }
  std::uint64_t first_number() const { return next_number - ring.size(); }
  /// These hold for a caller who holds `mutex`.
  void push(std::string_view event, const std::string& data, std::size_t most) {
    std::string text = "id: " + id(next_number++) + "\nevent: ";
    ring.push_back(text.append(event).append("\ndata: ").append(data).append("\n\n"));
    if (ring.size() > most) ring.pop_front();
  }
  void push_record(const core::Record& record, Clock::time_point now, std::size_t most) {
    std::string data;
    api::JsonWriter out(data);
    api::write_record(out, record);
    push("record", data, most);
    record_at = now;
    waiting.reset();
  }
  void flush_record(Clock::time_point now, std::size_t most) {
    if (waiting) push_record(core::Record(*waiting), now, most);
  }
  void wake_all(std::unique_lock<std::mutex> lock);
};

class EventBroker::Stream final : public api::EventStream {
 public:
  Stream(std::shared_ptr<Channel> channel, std::uint64_t next, bool gap)
      : channel_(std::move(channel)), next_(next), gap_(gap) {}

  void on_ready(std::function<void()> wake) override {
    std::lock_guard lock(channel_->mutex);
    wake_ = std::make_shared<const std::function<void()>>(std::move(wake));
    (*wake_)();
  }

  std::string take() override {
    std::lock_guard lock(channel_->mutex);
    std::string text;
    // A client that comes back before the first event has a place to go on from.
    if (!greeted_) text += "retry: 1000\nid: " + channel_->id(next_ - 1) + "\n\n";
    greeted_ = true;
    const std::uint64_t first = channel_->first_number();
    if (next_ < first) {
      gap_ = true;
      next_ = first;
    }
    if (gap_) text += "event: gap\ndata: {}\n\n";
    gap_ = false;
    for (; next_ < channel_->next_number; ++next_) text += channel_->ring[next_ - first];
    if ((closing_ || channel_->removed) && !finished_) {
      text += "event: closing\ndata: {}\n\n";
      finished_ = true;
    }
    return text;
  }

  bool finished() const override {
    std::lock_guard lock(channel_->mutex);
    return finished_;
  }

  void close() override {
    std::lock_guard lock(channel_->mutex);
    closing_ = true;
  }

  /// The caller holds the channel's mutex.
  std::shared_ptr<const std::function<void()>> wake() const { return wake_; }

 private:
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<const std::function<void()>> wake_;  ///< these are guarded by the channel's mutex
  std::uint64_t next_;
  bool gap_;
  bool greeted_ = false;
  bool closing_ = false;
  bool finished_ = false;
};

void EventBroker::Channel::wake_all(std::unique_lock<std::mutex> lock) {
  std::vector<std::shared_ptr<const std::function<void()>>> wakes;
  std::erase_if(streams, [&](const std::weak_ptr<Stream>& weak) {
    const std::shared_ptr<Stream> stream = weak.lock();
    if (stream && stream->wake()) wakes.push_back(stream->wake());
    return !stream;
  });
  lock.unlock();
  for (const auto& wake : wakes) (*wake)();
}

EventBroker::EventBroker(EngineObserver& next, EventBrokerOptions options,
                         std::function<Clock::time_point()> now)
    : next_(next), options_(options), now_(std::move(now)) {}

EventBroker::~EventBroker() = default;

std::shared_ptr<EventBroker::Channel> EventBroker::find(const std::string& network) const {
  if (count_.load(std::memory_order_relaxed) == 0) return nullptr;
  std::shared_lock lock(mutex_);
  const auto found = channels_.find(network);
  return found == channels_.end() ? nullptr : found->second;
}

/// The caller holds `mutex_`.
void EventBroker::drop_idle() {
  std::vector<std::pair<Clock::time_point, std::string>> idle;
  for (const auto& [network, channel] : channels_) {
    std::lock_guard lock(channel->mutex);
    const bool followed = std::any_of(channel->streams.begin(), channel->streams.end(),
                                      [](const auto& stream) { return !stream.expired(); });
    if (!followed) idle.emplace_back(channel->used_at, network);
  }
  if (idle.size() <= options_.idle_channels_max) return;
  std::sort(idle.begin(), idle.end());
  idle.resize(idle.size() - options_.idle_channels_max);
  for (const auto& [at, network] : idle) channels_.erase(network);
}

std::shared_ptr<api::EventStream> EventBroker::open(const std::string& network,
                                                    const std::optional<std::string>& last_id) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Channel>& slot = channels_[network];
  if (!slot) slot = std::make_shared<Channel>();
  const std::shared_ptr<Channel> channel = slot;
  std::shared_ptr<Stream> stream;
  {
    std::lock_guard guard(channel->mutex);
    channel->used_at = now_();
    std::uint64_t next = channel->next_number;
    bool gap = false;
    if (last_id && !last_id->empty()) {
      const std::string lead = channel->tag + "-";
      std::uint64_t last = 0;
      const char* end = last_id->data() + last_id->size();
      const bool ours =
          last_id->starts_with(lead) && std::from_chars(last_id->data() + lead.size(), end, last).ptr == end;
      if (ours && last < channel->next_number) {
        next = last + 1;
      } else {
        gap = true;
      }
    }
    stream = std::make_shared<Stream>(channel, next, gap);
    channel->streams.push_back(stream);
  }
  drop_idle();
  count_ = channels_.size();
  return stream;
}

void EventBroker::on_record(const std::string& network, const core::Record& record) {
  next_.on_record(network, record);
  const std::shared_ptr<Channel> channel = find(network);
  if (!channel) return;
  const Clock::time_point now = now_();
  std::unique_lock lock(channel->mutex);
  if (now - channel->record_at < options_.record_interval) {
    channel->waiting = record;
    return;
  }
  channel->push_record(record, now, options_.ring_events);
  channel->wake_all(std::move(lock));
}

void EventBroker::on_slice(const std::string& network, std::uint64_t steps, std::uint64_t rows, double loss) {
  next_.on_slice(network, steps, rows, loss);
}

void EventBroker::on_job(const api::JobView& job) {
  next_.on_job(job);
  const std::shared_ptr<Channel> channel = find(job.network);
  if (!channel) return;
  std::string data;
  api::JsonWriter out(data);
  api::write_job_view(out, job);
  std::unique_lock lock(channel->mutex);
  channel->flush_record(now_(), options_.ring_events);
  channel->push("job", data, options_.ring_events);
  channel->wake_all(std::move(lock));
}

void EventBroker::on_checkpoint(const std::string& network, std::uint64_t step) {
  next_.on_checkpoint(network, step);
  const std::shared_ptr<Channel> channel = find(network);
  if (!channel) return;
  std::unique_lock lock(channel->mutex);
  channel->push("checkpoint", step_data(step), options_.ring_events);
  channel->wake_all(std::move(lock));
}

void EventBroker::on_network_created(const std::string& network) { next_.on_network_created(network); }

void EventBroker::on_network_changed(const std::string& network) { next_.on_network_changed(network); }

/// Records that a client has are no more: it has to read the history again, as after any gap.
void EventBroker::on_network_restored(const std::string& network, std::uint64_t step) {
  next_.on_network_restored(network, step);
  const std::shared_ptr<Channel> channel = find(network);
  if (!channel) return;
  std::unique_lock lock(channel->mutex);
  channel->waiting.reset();
  channel->push("gap", step_data(step), options_.ring_events);
  channel->wake_all(std::move(lock));
}

void EventBroker::on_network_removed(const std::string& network) {
  next_.on_network_removed(network);
  std::shared_ptr<Channel> channel;
  {
    std::unique_lock lock(mutex_);
    const auto found = channels_.find(network);
    if (found == channels_.end()) return;
    channel = std::move(found->second);
    channels_.erase(found);
    count_ = channels_.size();
  }
  std::unique_lock lock(channel->mutex);
  channel->removed = true;
  channel->wake_all(std::move(lock));
}

}  // namespace mlpd::server
