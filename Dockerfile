# One image for every agent: `docker run <image> services/credit/credit-score.ts` runs that agent file.
# Sources run as they are: Node strips the types, and bin/laban.js resolves `laban` to them.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY . .
# The one folder that an agent may write to.
RUN mkdir .laban && chown node:node .laban
USER node
# Reachable from outside the container; the health check asks the same port.
ENV LABAN_HTTP_HOST=0.0.0.0 LABAN_HTTP_PORT=9464
EXPOSE 9464
HEALTHCHECK --interval=3s --timeout=3s --start-period=15s --retries=10 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.LABAN_HTTP_PORT}/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/laban.js", "run"]
CMD ["services/credit/credit-score.ts"]
