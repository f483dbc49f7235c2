#include "server/demo.h"

#include <memory>
#include <utility>

#include "core/generator.h"

namespace mlpd::server {
namespace {

constexpr std::uint64_t kSteps = 2'000;

core::LayerSpec dense(std::size_t units, core::Activation activation) {
  core::LayerSpec layer;
  layer.units = units;
  layer.activation = activation;
  return layer;
}

api::CreateNetwork demo_network() {
  api::CreateNetwork network;
  network.name = kDemoName;
  network.spec.inputs = 2;
  network.spec.layers = {dense(8, core::Activation::tanh), dense(2, core::Activation::softmax)};
  network.spec.loss.kind = core::Loss::cross_entropy;
  network.spec.hyper_parameters.optimizer.kind = core::Optimizer::adam;
  network.spec.hyper_parameters.optimizer.learning_rate = 0.05;
  network.labels = {{"made-by", "--demo"}};
  return network;
}

}  // namespace

core::Result<void> ensure_demo(api::NetworkService& networks, api::JobService& jobs) {
  auto network = networks.read(kDemoName);
  if (!network && network.error().code == core::ErrorCode::not_found)
    network = networks.create(demo_network());
  if (!network) return network.error();
  if (network->step > 0 || network->last_job) return {};
  api::TrainRequest request;
  core::Dataset points = core::article_xor();
  points.class_labels.clear();  // its classes are indices
  request.data = std::make_shared<const core::Dataset>(std::move(points));
  request.plan.steps = kSteps;
  if (const auto job = jobs.train(kDemoName, request); !job) return job.error();
  return {};
}

}  // namespace mlpd::server
