# The binaries in one small image; docker-compose.yml chooses which to run.
FROM debian:12 AS build
WORKDIR /src
# The packages first: they change seldom, and their layer is the large one.
COPY deploy/apt-packages.txt deploy/common.sh deploy/defaults.env deploy/install.sh deploy/
RUN deploy/install.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN deploy/build.sh release ingest processor state_projector topics auditor

FROM debian:12-slim
RUN --mount=type=bind,source=deploy,target=/src/deploy \
    /src/deploy/install.sh image && rm -rf /var/lib/apt/lists/*
# A fixed number, so that volumes keep their owner from one image to the next.
RUN useradd --system --uid 10001 --user-group --no-create-home thumbstream && \
    install -d -o thumbstream -g thumbstream /var/lib/thumbstream
COPY --from=build /src/build/release/bin/ /usr/local/bin/
COPY deploy/healthcheck.sh /usr/local/bin/healthcheck.sh
ENV THUMB_DATA_DIR=/var/lib/thumbstream
WORKDIR /var/lib/thumbstream
USER 10001:10001
CMD ["ingest"]
