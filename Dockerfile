# One image for every agent: `docker run <image> services/credit/credit-score.ts` runs that agent file.
# Sources run as they are (Node strips the types); the build stage only makes the package that agents import as `laban`.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app ./
USER node
EXPOSE 9464
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s --retries=10 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/laban.js", "run"]
CMD ["services/credit/credit-score.ts"]
