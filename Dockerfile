# One image for both binaries. It starts the server by default, and the worker with the command `node dist/cmd/worker/main.js`.
#
# No install scripts run: native code comes prebuilt in optional packages, so nothing is compiled or downloaded during the build.
FROM node:24-bookworm-slim AS base
WORKDIR /app
# These files change rarely, so they come first: the packages are installed again only when one of them changes.
COPY package.json package-lock.json ./

FROM base AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY templates templates
COPY cmd cmd
COPY dev dev
COPY src src
COPY web web
RUN npm run build && cp -a dist release && rm -r release/cmd/dev release/dev

# The mail catcher for development. It needs packages that the release does not contain.
FROM build AS dev
USER node
EXPOSE 1025
CMD ["node", "dist/cmd/dev/mail-catcher.js"]

FROM base AS dependencies
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

# `docker build` builds the last stage. Root owns all of its files, so the process cannot change any of them.
FROM node:24-bookworm-slim
# Other containers and the host cannot reach loopback inside a container. The published ports decide who can reach the listeners.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/release dist
USER node
EXPOSE 50051 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["node", "dist/cmd/healthcheck/main.js"]
# Runs node directly, without a shell or npm, so that SIGTERM reaches the process and it shuts down cleanly.
CMD ["node", "dist/cmd/server/main.js"]
