#!/usr/bin/env bash
# Trains a recipe on one or several nodes: sbatch recipes/slurm.sh recipes/h200.toml WORK [OPTION...]
# Further options go to editflow_trainer.training.train_shards, for instance --fsdp. A job that runs out of time or
# is preempted is put back into the queue and goes on from its last state.
#SBATCH --job-name=editflow
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=96
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=%x-%j.log
set -euo pipefail

recipe=${1:?a recipe: sbatch recipes/slurm.sh recipes/h200.toml WORK}
work=${2:?a work folder that holds shards/}
shift 2

nodes=${SLURM_JOB_NUM_NODES:-1}
gpus=${SLURM_GPUS_ON_NODE:-1}
PROCESSES=${PROCESSES:-$gpus}                 # processes a node
host=127.0.0.1
if [ "$nodes" -gt 1 ]; then
    host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
fi
port=$((20000 + ${SLURM_JOB_ID:-0} % 20000))

requeue() {
    trap '' TERM
    kill -TERM "$training" 2>/dev/null || true
    wait "$training" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}

launch=(torchrun --nnodes "$nodes" --nproc-per-node "$PROCESSES" --rdzv-id "${SLURM_JOB_ID:-0}"
    --rdzv-backend c10d --rdzv-endpoint "$host:$port"
    -m editflow_trainer.training.train_shards --recipe "$recipe" --work "$work" "$@")
if [ -n "${SLURM_JOB_ID:-}" ]; then
    trap requeue TERM
    launch=(srun --kill-on-bad-exit=1 "${launch[@]}")
fi
"${launch[@]}" &
training=$!
wait "$training"
