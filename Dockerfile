FROM rust:1.95-slim-bookworm AS build
# For the bundled SQLite and the assembly of the TLS provider.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The profile strips the binary. It is copied out of the cache, which is no part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p gristmill-cli \
    && cp target/release/gristmill /gristmill

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home gristmill
COPY --from=build /gristmill /usr/local/bin/gristmill
USER gristmill
EXPOSE 8080
ENTRYPOINT ["gristmill"]
CMD ["--help"]
