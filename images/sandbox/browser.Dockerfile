COPY browser-slim.conf /etc/dpkg/dpkg.cfg.d/cloche-browser-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      chromium fonts-dejavu-core fonts-liberation \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/icons/* /usr/share/mime/*
