# One target a program: docker build --target server|stream|upkeep|export|prelabel|setup . docker-compose.yml builds them all.
FROM debian:bookworm-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY deploy/run/packages.sh deploy/run/packages.sh
RUN . deploy/run/packages.sh && apt-get -q update && \
    apt-get -q -y --no-install-recommends install "${build_packages[@]}" && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake -S . -B /build -G Ninja && \
    ninja -C /build annotate annotate-server annotate-stream annotate-upkeep annotate-export annotate-prelabel

FROM node:20-bookworm-slim AS web
WORKDIR /src/web-static
COPY web-static/package.json web-static/package-lock.json ./
RUN npm ci
COPY web-static ./
RUN npm run build

FROM python:3.11-slim-bookworm AS onnxruntime
COPY deploy/run/onnxruntime.txt /tmp/
RUN pip install --no-deps --require-hashes --target /ort -r /tmp/onnxruntime.txt && \
    cp /ort/onnxruntime/capi/libonnxruntime.so.* /libonnxruntime.so.1

# What every program needs, and nothing that compiles.
FROM debian:bookworm-slim AS base
RUN apt-get -q update && apt-get -q -y --no-install-recommends install ca-certificates \
    libarchive13 libcrypt1 libcurl4 libevent-2.1-7 libevent-pthreads-2.1-7 libjson-c5 libjwt0 libpng16-16 libpq5 \
    librdkafka1 libseccomp2 libssl3 libturbojpeg0 libxml2 zlib1g && rm -rf /var/lib/apt/lists/* && \
    useradd --system --uid 10001 --user-group --no-create-home annotate && \
    install -d -o annotate -m 700 /var/lib/annotate/blobs /var/lib/annotate/secrets /var/lib/annotate/stream
WORKDIR /var/lib/annotate
USER annotate

# Runs once: the schema, the key of our tokens, the first users.
FROM base AS setup
COPY --from=build /build/bin/annotate /usr/local/bin/
COPY deploy/docker/setup.sh /usr/local/bin/setup
ENTRYPOINT ["setup"]

FROM base AS server
COPY --from=build /build/bin/annotate-server /usr/local/bin/
COPY --from=web /src/web-static/dist /usr/share/annotate/web
ENV ANNOTATE_WEB_ROOT=/usr/share/annotate/web
EXPOSE 8080
ENTRYPOINT ["annotate-server"]

FROM base AS stream
COPY --from=build /build/bin/annotate-stream /usr/local/bin/
ENTRYPOINT ["annotate-stream"]

FROM base AS upkeep
COPY --from=build /build/bin/annotate-upkeep /usr/local/bin/
ENTRYPOINT ["annotate-upkeep"]

FROM base AS export
COPY --from=build /build/bin/annotate-export /usr/local/bin/
ENTRYPOINT ["annotate-export"]

FROM base AS prelabel
COPY --from=build /build/bin/annotate-prelabel /usr/local/bin/
COPY --from=onnxruntime /libonnxruntime.so.1 /usr/local/lib/
COPY models /usr/share/annotate/models
ENV ANNOTATE_ORT_LIB=/usr/local/lib/libonnxruntime.so.1 ANNOTATE_MODELS=/usr/share/annotate/models
ENTRYPOINT ["annotate-prelabel"]
