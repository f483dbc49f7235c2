#include "server/feedback.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/prediction.h"
#include "server/network_service.h"
#include "server/thread_pool.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

api::TargetForm form_of(const core::Snapshot& snapshot) {
  const core::NetworkSpec& spec = snapshot.spec();
  const auto preprocess = snapshot.preprocess();
  return {core::is_classifier(spec), core::output_count(spec), api::labels_of(spec, preprocess.get())};
}

template <class T>
std::vector<double> answers_of(const api::TargetForm& form, std::span<const T> outputs) {
  if (!form.classifies) return {outputs.begin(), outputs.end()};
  std::vector<double> classes;
  for (std::size_t i = 0; i < outputs.size(); i += form.outputs)
    classes.push_back(static_cast<double>(api::class_of(outputs.data() + i, form.outputs)));
  return classes;
}

/// The same encoded rows mean the same to both.
bool share_inputs(const core::Snapshot& a, const core::Snapshot& b) {
  if (a.spec().inputs != b.spec().inputs || a.spec().dtype != b.spec().dtype) return false;
  const auto first = a.preprocess(), second = b.preprocess();
  return first == second || (first && second && *first == *second);
}

Error no_shadow(const std::string& network) {
  return {ErrorCode::not_found, "network '" + network + "' has no shadow", {}};
}

}  // namespace

Feedback::Feedback(EngineParts& parts, NetworkKeeper& keeper, Versions& versions)
    : parts_(parts), keeper_(keeper), versions_(versions), session_(parts.new_id() + "-") {}

Feedback::~Feedback() { stop(); }

void Feedback::start() {
  thread_ = std::thread([this] { run(); });
}

void Feedback::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<std::pair<api::ShadowView, bool>> Feedback::set_shadow(const std::string& network,
                                                              api::VersionNumber version) {
  const auto set = versions_.set_shadow(network, version);
  if (!set.ok()) return set.error();
  const EntryPointer entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  entry->scores.watch(set->first);
  return std::pair(entry->scores.view(set->first), set->second);
}

Result<api::ShadowView> Feedback::shadow(const std::string& network) {
  const EntryPointer entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  const std::optional<Shadow> shadow = versions_.shadow(network);
  if (!shadow) return no_shadow(network);
  return entry->scores.view(*shadow);
}

Result<void> Feedback::end_shadow(const std::string& network) { return versions_.remove_shadow(network); }

Result<std::string> Feedback::keep(const api::AnsweredPrediction& prediction, bool asked) {
  std::optional<Shadow> shadow;
  if (!prediction.pinned) shadow = versions_.shadow(prediction.network);
  if (shadow && shadow->version == prediction.version) shadow.reset();
  if (!asked && !shadow) return std::string();
  const EntryPointer entry = parts_.registry.find(prediction.network);
  if (!entry) return no_network(prediction.network);
  if (!entry->scores.shown) show(entry);
  if (shadow) entry->scores.watch(*shadow);
  const auto size_of = [](const auto& numbers) { return numbers.size(); };
  const std::size_t inputs = std::visit(size_of, prediction.inputs);
  api::TargetForm form = form_of(*prediction.snapshot);
  const std::size_t rows = std::visit(size_of, prediction.outputs) / form.outputs;
  const std::size_t answers = rows * form.row_numbers();
  if (rows == 0) return std::string();
  const bool fits = answers <= parts_.limits.feedback_numbers_max;
  if (asked && !fits) {
    return Error{ErrorCode::invalid_argument,
                 "a prediction of " + std::to_string(answers) +
                     " answers can't be kept for feedback, which keeps " +
                     std::to_string(parts_.limits.feedback_numbers_max) + "; send the rows in parts",
                 {}};
  }
  if (shadow && inputs + answers > parts_.limits.shadow_numbers_max) {
    entry->scores.add_dropped(*shadow, rows);
    shadow.reset();
  }
  if (!shadow && !fits) return std::string();
  auto kept = std::make_shared<Kept>();
  kept->entry = entry;
  kept->version = prediction.version;
  kept->form = entry->scores.share(std::move(form));
  kept->answers =
      std::visit([&](const auto& outputs) { return answers_of(*kept->form, outputs); }, prediction.outputs);
  const std::string id = fits ? put_into_ring(kept) : std::string();
  if (!shadow) return id;
  Waiting waiting{std::move(kept), *shadow, prediction.snapshot, {}, inputs + answers};
  std::visit([&](const auto& numbers) { waiting.inputs = std::vector(numbers.begin(), numbers.end()); },
             prediction.inputs);
  hand_over(entry, std::move(waiting));
  return id;
}

/// Where there is room for one more, or one that was shown is gone.
void Feedback::show(const EntryPointer& entry) {
  std::lock_guard lock(mutex_);
  std::erase_if(shown_, [](const auto& shown) { return shown.expired(); });
  if (shown_.size() == kScoredNetworksMax || entry->scores.shown.exchange(true)) return;
  shown_.push_back(entry);
}

std::string Feedback::put_into_ring(const KeptPointer& kept) {
  std::vector<KeptPointer> old;  // freed outside the lock
  std::lock_guard lock(mutex_);
  ring_.push_back(kept);
  kept_numbers_ += kept->answers.size();
  while (kept_numbers_ > parts_.limits.feedback_numbers_max) {
    kept_numbers_ -= ring_.front()->answers.size();
    old.push_back(std::move(ring_.front()));
    ring_.pop_front();
    ++first_;
  }
  return session_ + std::to_string(first_ + ring_.size() - 1);
}

void Feedback::hand_over(const EntryPointer& entry, Waiting waiting) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_numbers_ + waiting.numbers <= parts_.limits.shadow_numbers_max) {
      waiting_numbers_ += waiting.numbers;
      waiting_.push_back(std::move(waiting));
      arrived_.notify_one();
      return;
    }
  }
  entry->scores.add_dropped(waiting.shadow, waiting.kept->rows());
}

void Feedback::run() {
  lower_priority();
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    compute(next);
    lock.lock();
    waiting_numbers_ -= next.numbers;
  }
}

Result<std::shared_ptr<const core::Snapshot>> Feedback::snapshot_of(NetworkEntry& entry,
                                                                    const Shadow& shadow) {
  if (!shadow.version) return keeper_.snapshot(entry, std::nullopt);
  auto resolved = versions_.resolve(entry.name(), std::to_string(*shadow.version));
  if (!resolved.ok()) return resolved.error();
  return std::move(resolved->snapshot);
}

Result<std::vector<double>> Feedback::answers_of_shadow(NetworkEntry& entry, const Waiting& waiting) {
  const auto shadow = snapshot_of(entry, waiting.shadow);
  if (!shadow.ok()) return shadow.error();
  if (!share_inputs(*waiting.answered, **shadow) || form_of(**shadow) != *waiting.kept->form)
    return Error{ErrorCode::conflict, "the shadow is of another form than what it is compared with", {}};
  const auto compute = [&](const auto& inputs) -> Result<std::vector<double>> {
    auto outputs = inputs;
    using T = typename std::decay_t<decltype(inputs)>::value_type;
    const auto computed = api::compute_outputs<T>(*shadow, inputs, outputs);
    if (!computed) return computed.error();
    return answers_of(*waiting.kept->form, std::span<const T>(outputs));
  };
  return std::visit(compute, waiting.inputs);
}

void Feedback::compute(const Waiting& waiting) {
  Kept& kept = *waiting.kept;
  const EntryPointer entry = kept.entry.lock();
  if (!entry) return;
  auto answers = answers_of_shadow(*entry, waiting);
  if (!answers.ok()) return entry->scores.add_failed(waiting.shadow, kept.rows());
  const api::TargetForm& form = *kept.form;
  const api::Score agreement = compare(form, kept.answers, *answers);
  std::lock_guard lock(mutex_);  // who sees that these were compared can judge the shadow by them
  entry->scores.add_agreement(waiting.shadow, kept.version, agreement);
  kept.shadow = waiting.shadow;
  kept.shadow_answers = *std::move(answers);
  if (kept.truth.known.empty()) return;  // no feedback was quicker than this
  entry->scores.add_judged(waiting.shadow, kept.version,
                           compare(form, kept.answers, kept.truth.numbers, kept.truth.known),
                           compare(form, kept.shadow_answers, kept.truth.numbers, kept.truth.known));
}

/// The caller holds mutex_.
Result<Feedback::KeptPointer> Feedback::find(const std::string& network, const std::string& id) {
  const EntryPointer entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  const Error unknown{
      ErrorCode::not_found, "network '" + network + "' has no prediction '" + id + "', or it is too old", {}};
  if (!id.starts_with(session_)) return unknown;
  std::uint64_t number = 0;
  const char* end = id.data() + id.size();
  const auto [stop, error] = std::from_chars(id.data() + session_.size(), end, number);
  if (error != std::errc() || stop != end || number < first_ || number - first_ >= ring_.size())
    return unknown;
  const KeptPointer& kept = ring_[number - first_];
  if (kept->entry.lock() != entry) return unknown;
  return kept;
}

Result<api::KeptPrediction> Feedback::kept(const std::string& network, const std::string& id) {
  std::lock_guard lock(mutex_);
  const Result<KeptPointer> kept = find(network, id);
  if (!kept.ok()) return kept.error();
  return api::KeptPrediction{(*kept)->version, (*kept)->rows(), *(*kept)->form};
}

Result<std::size_t> Feedback::judge(const std::string& network, const std::string& id,
                                    const api::Truth& truth) {
  std::lock_guard lock(mutex_);
  const Result<KeptPointer> found = find(network, id);
  if (!found.ok()) return found.error();
  Kept& kept = **found;
  const EntryPointer entry = kept.entry.lock();
  if (!entry) return no_network(network);
  const std::size_t numbers = kept.form->row_numbers();
  kept.truth.known.resize(kept.rows());
  kept.truth.numbers.resize(kept.answers.size());
  std::vector<bool> fresh(kept.rows());
  for (std::size_t r = 0; r < kept.rows(); ++r) {
    if (!truth.known[r] || kept.truth.known[r]) continue;
    fresh[r] = kept.truth.known[r] = true;
    std::copy_n(truth.numbers.data() + r * numbers, numbers, kept.truth.numbers.data() + r * numbers);
  }
  const api::Score score = compare(*kept.form, kept.answers, kept.truth.numbers, fresh);
  if (score.rows > 0) entry->scores.add_truth(kept.version, score);
  if (score.rows > 0 && kept.shadow)
    entry->scores.add_judged(*kept.shadow, kept.version, score,
                             compare(*kept.form, kept.shadow_answers, kept.truth.numbers, fresh));
  return score.rows;
}

Result<std::vector<api::VersionScore>> Feedback::scores(const std::string& network) {
  const EntryPointer entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  return entry->scores.versions();
}

api::FeedbackTotals Feedback::totals() {
  api::FeedbackTotals totals;
  std::vector<std::weak_ptr<NetworkEntry>> shown;
  {
    std::lock_guard lock(mutex_);
    totals.kept_numbers = kept_numbers_;
    totals.waiting_numbers = waiting_numbers_;
    shown = shown_;
  }
  for (const std::weak_ptr<NetworkEntry>& weak : shown) {
    const EntryPointer entry = weak.lock();
    if (!entry || parts_.registry.find(entry->name()) != entry) continue;
    totals.networks.push_back(entry->scores.totals());
    totals.networks.back().name = entry->name();
  }
  return totals;
}

}  // namespace mlpd::server
