#!/usr/bin/env bash
# Learns many repositories, each by itself: sbatch recipes/train_many.slurm.sh FILE [OPTION...]
# FILE names one folder a line. Each task takes its share of the lines; further options go to editflow train. The data
# and cache folders of the user must be the same on all nodes. A job that runs out of time or is preempted is put back
# into the queue: what is done at the same commit is passed over, and what was interrupted goes on.
#SBATCH --job-name=editflow-train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
#SBATCH --output=%x-%j.log
set -euo pipefail

file=${1:?a file of folders: sbatch recipes/train_many.slurm.sh FILE}
shift

requeue() {
    trap '' TERM
    scancel --signal=TERM "$SLURM_JOB_ID.0" 2>/dev/null || true
    wait "$training" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}

trap requeue TERM
srun --kill-on-bad-exit=0 editflow train --repos "$file" --resume "$@" &
training=$!
wait "$training"
