# Images of Winnow, one target each: `operator` (no torch), `trainer` and `server` (no torch).
#
#   scripts/image build operator          here, without a Docker daemon
#   docker build --target operator .      with one
#
# The order of the layers is by how often they change: base, locked dependencies (keyed by their
# lock file alone), code. So a change of code costs seconds, and a cluster pulls kilobytes.
#
# A build behind a proxy or with an index of its own gives its pip settings as build secrets with the
# ids `pip-conf` (a pip.conf file) and `ca-certificates` (a bundle; the pip.conf then says
# `cert = /run/secrets/ca-certificates`). Nothing of them lands in an image.

# Any Linux image with python3 >= 3.11 and its venv module; glibc, because torch has no musl wheels.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

# ---------------------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS base

# A name for the user, because some libraries ask for one; pods refer to it by number.
# The root file system is read-only in pods: bytecode is compiled here, once, and never there (some
# bases leave out that of the standard library too).
RUN echo 'winnow:x:65532:65532:winnow:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'winnow:x:65532:' >> /etc/group \
    && python3 -m compileall -q -x 'site-packages|lib2to3/tests' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

# PYTHONSAFEPATH keeps the working directory, which others may write to, off the import path.
ENV PATH=/opt/winnow/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/winnow/src \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=winnow
WORKDIR /tmp

# ---------------------------------------------------------------------------------------------
FROM base AS operator

COPY requirements/operator.txt /opt/winnow/requirements.txt
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca-certificates \
    python3 -m venv /opt/winnow \
    && pip install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes -r /opt/winnow/requirements.txt \
    && pip uninstall --yes --quiet pip setuptools \
    && find /opt/winnow/lib -depth -type d -name tests -exec rm -rf {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/winnow/lib

COPY trainer/winnow_contract /opt/winnow/src/winnow_contract
COPY operator/winnow_operator /opt/winnow/src/winnow_operator
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/winnow/src

# The engines work on a few hundred numbers at a time: a pool of BLAS threads is only memory.
ENV OPENBLAS_NUM_THREADS=1
# /metrics; /healthz and /readyz.
EXPOSE 8080 8081
USER 65532:65532
ENTRYPOINT ["python", "-m", "winnow_operator"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="winnow-operator" \
      org.opencontainers.image.description="Reconciles searches and compressions into trials" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ---------------------------------------------------------------------------------------------
FROM base AS trainer

# Without these, torch comes from where all packages come from: the build with CUDA, which runs on
# machines without a GPU too. With TORCH_INDEX_URL it comes from that index (one with CPU wheels,
# say, which saves about 4 GB). The lock's hashes are those of the CUDA build and cannot match, so
# the version stays the locked one, and TORCH_SHA256 pins the wheel where you know its digest; what
# only the CUDA build needs is left out, and everything else keeps its hashes.
#
# torch ships a few files for newer Pythons by name (py312_...); they are left out of the bytecode.
ARG TORCH_INDEX_URL=""
ARG TORCH_SHA256=""
COPY requirements/trainer.txt /opt/winnow/requirements.txt
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca-certificates \
    python3 -m venv /opt/winnow \
    && install="pip install --no-cache-dir --no-compile --disable-pip-version-check" \
    && if [ -z "${TORCH_INDEX_URL}" ]; then \
        ${install} --require-hashes -r /opt/winnow/requirements.txt; \
    else \
        torch="$(grep -oE '^torch==[^ ;]+' /opt/winnow/requirements.txt)" \
        && echo "${torch}${TORCH_SHA256:+ --hash=sha256:${TORCH_SHA256}}" > /tmp/torch.txt \
        && awk '/^[a-z0-9]/ { keep = ($0 !~ /^(torch==|triton|nvidia-|cuda-)/) } keep' \
            /opt/winnow/requirements.txt > /tmp/rest.txt \
        && ${install} --no-deps --index-url "${TORCH_INDEX_URL}" -r /tmp/torch.txt \
        && ${install} --no-deps --require-hashes -r /tmp/rest.txt \
        && rm /tmp/torch.txt /tmp/rest.txt; \
    fi \
    && pip uninstall --yes --quiet pip \
    && find /opt/winnow/lib/python3*/site-packages/pandas \
            /opt/winnow/lib/python3*/site-packages/numpy \
            /opt/winnow/lib/python3*/site-packages/scipy \
            /opt/winnow/lib/python3*/site-packages/sklearn \
            -depth -type d -name tests -exec rm -rf {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/py3[0-9]+_[a-z]+[.]py$' /opt/winnow/lib

COPY trainer/winnow_contract /opt/winnow/src/winnow_contract
COPY trainer/winnow_measure /opt/winnow/src/winnow_measure
COPY trainer/winnow_trainer /opt/winnow/src/winnow_trainer
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/winnow/src

# Metrics of the running trials.
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["python", "-m", "winnow_trainer"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="winnow-trainer" \
      org.opencontainers.image.description="Trains the trials of a search and builds the candidates of a compression" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ---------------------------------------------------------------------------------------------
FROM base AS server

COPY requirements/server.txt /opt/winnow/requirements.txt
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca-certificates \
    python3 -m venv /opt/winnow \
    && pip install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes -r /opt/winnow/requirements.txt \
    && pip uninstall --yes --quiet pip setuptools \
    && find /opt/winnow/lib -depth -type d -name tests -exec rm -rf {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/winnow/lib

COPY trainer/winnow_contract /opt/winnow/src/winnow_contract
COPY trainer/winnow_runtime /opt/winnow/src/winnow_runtime
COPY trainer/winnow_measure /opt/winnow/src/winnow_measure
COPY trainer/winnow_server /opt/winnow/src/winnow_server
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/winnow/src

# numpy only counts what ONNX Runtime computes, which has a pool of its own with as many threads as
# it is told: a second pool would only disturb what is measured.
ENV OPENBLAS_NUM_THREADS=1
# Of what serves: requests, its page, /metrics.
EXPOSE 8080
USER 65532:65532
# Whatever runs models without torch is a module of this image: `winnow_server serve` serves one,
# `winnow_server fetch` copies one from a claim and verifies it; without arguments, measuring.
ENTRYPOINT ["python", "-m"]
CMD ["winnow_measure"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="winnow-server" \
      org.opencontainers.image.description="Measures and serves models" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
