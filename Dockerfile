# One image for both binaries: it starts the server, and with the command `node dist/cmd/worker/main.js` the worker.
#
# No install script is run: what is native comes prebuilt, as optional packages, so nothing is compiled or downloaded.
FROM node:24-bookworm-slim AS base
WORKDIR /app
# First what changes seldom: the packages are installed anew only when one of these two files changes.
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

# The mail catcher, for development: it needs packages that the release does without.
FROM build AS dev
USER node
EXPOSE 1025
CMD ["node", "dist/cmd/dev/mail-catcher.js"]

FROM base AS dependencies
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

# The last stage is what `docker build` makes. All of its files are root's: the process can change none of them.
FROM node:24-bookworm-slim
# Inside a container loopback reaches nobody: what may be reached is decided by the ports that are published.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/release dist
USER node
EXPOSE 50051 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["node", "dist/cmd/healthcheck/main.js"]
# Without a shell or npm in front of it, so that SIGTERM reaches the process and it closes in good order.
CMD ["node", "dist/cmd/server/main.js"]
