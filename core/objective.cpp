#include "core/objective.h"

#include "core/loss.h"
#include "core/update_kernels.h"

namespace mlpd::core {

namespace {

template <class T>
LossOptions loss_of(const Network& network, const Batch<T>& batch) {
  LossOptions loss = network.spec().loss;
  if (batch.smoothed) loss.label_smoothing = 0;
  return loss;
}

}  // namespace

template <class T>
Objective<T>::Objective(const Network& network, Executor& executor)
    : network_(&network), executor_(&executor) {}

// The lanes pass knows the spec's label smoothing only, not targets that are smoothed and weighed already.
template <class T>
bool Objective<T>::by_lanes(const Batch<T>& batch) const {
  return workspace_.lanes && !keep_dloss_dh_ && !batch.smoothed;
}

template <class T>
void Objective<T>::gradient(const Batch<T>& batch, const T* parameters, T* running, std::uint64_t step,
                            T* gradient) {
  workspace_.prepare(*network_, batch.inputs.rows, Purpose::training);
  if (by_lanes(batch)) {
    workspace_.lanes->gradient(batch.inputs, batch.targets, batch.row_weights, parameters, gradient, nullptr,
                               nullptr);
    return add_penalty(batch.inputs.rows, parameters, gradient);
  }
  Pass<T> pass;
  pass.parameters = parameters;
  pass.gradient = gradient;
  pass.running_update = running;
  pass.seed = network_->spec().seed;
  pass.step = step;
  pass.training = true;
  pass.keep_dloss_dh = keep_dloss_dh_;
  pass.row_sum = network_->row_sum();
  pass.executor = executor_;
  BrickMemory<T>& last = workspace_.bricks.back();
  forward<T>(network_->bricks(), pass, batch.inputs, last.h.view(), workspace_.bricks);
  const LossOptions loss = loss_of(*network_, batch);
  loss_backward<T>(loss, network_->last_activation(), last.gradient.view(), last.z.view(), last.h.view(),
                   batch.loss_targets, batch.row_weights);
  backward<T>(network_->bricks(), pass, batch.inputs, workspace_.bricks, {},
              is_fused(loss.kind, network_->last_activation()));
  add_penalty(batch.inputs.rows, parameters, gradient);
}

template <class T>
void Objective<T>::add_penalty(std::size_t batch_rows, const T* parameters, T* gradient) const {
  if (regularization_.l1 == 0 && regularization_.l2 == 0) return;
  const double rows = static_cast<double>(batch_rows);
  for (const Range& range : network_->penalized())
    add_penalty_gradient<T>(gradient + range.offset, parameters + range.offset, range.count,
                            static_cast<T>(regularization_.l1 / rows),
                            static_cast<T>(regularization_.l2 / rows));
}

template <class T>
LossParts Objective<T>::loss(const Batch<T>& batch, const T* parameters) {
  BrickMemory<T>& last = workspace_.bricks.back();
  if (by_lanes(batch)) workspace_.lanes->forward(batch.inputs, parameters, last.z.data(), last.h.data());
  LossParts parts;
  parts.data_loss = static_cast<double>(loss_forward<T>(
      loss_of(*network_, batch), network_->last_activation(), last.z.view(), last.h.view(),
      batch.loss_targets, batch.row_weights, network_->row_sum(), workspace_.row_losses.data()));
  parts.penalty = penalty<T>(*network_, regularization_, parameters, batch.inputs.rows);
  return parts;
}

template <class T>
LossParts Objective<T>::value_and_gradient(const Batch<T>& batch, const T* parameters, std::uint64_t step,
                                           T* gradient_out) {
  gradient(batch, parameters, nullptr, step, gradient_out);
  return loss(batch, parameters);
}

template <class T>
ConstMatrixView<T> Objective<T>::outputs() const {
  return workspace_.bricks.back().h.view();
}

template <class T>
double penalty(const Network& network, const Regularization& regularization, const T* parameters,
               std::size_t rows) {
  double squares = 0;
  double magnitudes = 0;
  for (const Range& range : network.penalized()) {
    if (regularization.l2 != 0)
      squares += static_cast<double>(sum_of_squares<T>(parameters + range.offset, range.count));
    if (regularization.l1 != 0)
      magnitudes += static_cast<double>(sum_of_magnitudes<T>(parameters + range.offset, range.count));
  }
  const double n = static_cast<double>(rows);
  return regularization.l2 / (2 * n) * squares + regularization.l1 / n * magnitudes;
}

namespace {

/// Whether predicting 16 rows at a time pays: from a few rows on, or where the network is next to nothing.
bool lanes_pay(const Network& network, std::size_t rows) {
  return rows >= 4 || network.parameter_count() <= 64;
}

}  // namespace

template <class T>
void infer(const Network& network, const T* parameters, const T* running, ConstMatrixView<T> inputs,
           MatrixView<T> outputs, Workspace<T>& workspace, Purpose purpose, Executor& executor) {
  workspace.prepare(network, inputs.rows, purpose);
  if (workspace.lanes && lanes_pay(network, inputs.rows)) {
    T* last_z = purpose == Purpose::evaluation ? workspace.bricks.back().z.data() : nullptr;
    return workspace.lanes->forward(inputs, parameters, last_z, outputs.data);
  }
  Pass<T> pass;
  pass.parameters = parameters;
  pass.running = running;
  pass.executor = &executor;
  forward<T>(network.bricks(), pass, inputs, outputs, workspace.bricks);
}

#define MLPD_INSTANTIATE(T)                                                                     \
  template class Objective<T>;                                                                  \
  template double penalty<T>(const Network&, const Regularization&, const T*, std::size_t);     \
  template void infer<T>(const Network&, const T*, const T*, ConstMatrixView<T>, MatrixView<T>, \
                         Workspace<T>&, Purpose, Executor&);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
