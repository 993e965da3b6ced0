COPY browser-slim.conf /etc/dpkg/dpkg.cfg.d/cloche-browser-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      chromium fonts-dejavu-core fonts-liberation \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/icons/* /usr/share/mime/*
# Pages of the web and nothing else: no file:, view-source:, chrome:, data:, blob: and their like.
COPY browser-policy.json /etc/chromium/policies/managed/cloche.json
