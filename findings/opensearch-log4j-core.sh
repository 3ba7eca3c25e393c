#!/usr/bin/env bash
# OpenSearch: the jar org.opensearch:opensearch declares log4j-core as optional, and no node starts without it.
#
# One would guess: an optional dependency can be missing; log4j-api and any logging provider are enough.
# What happens: every node sets the level of its slow logs with org.opensearch.common.logging.Loggers, which calls
# log4j-core directly. It ends with NoClassDefFoundError.
#
# Source: opensearch-2.19.6.pom (`<optional>true</optional>`), Loggers.setLevel, called by the constructor of
# SearchRequestSlowLog.
# Needs: JDK 17 or newer, Maven.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>opensearch</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.opensearch</groupId>
      <artifactId>opensearch</artifactId>
      <version>2.19.6</version>
    </dependency>
  </dependencies>
</project>
XML
cat > SlowLog.java <<'JAVA'
import java.util.Set;

import org.opensearch.action.search.SearchRequestSlowLog;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.settings.ClusterSettings;
import org.opensearch.common.settings.Settings;

class SlowLog {
    public static void main(String[] arguments) {
        var settings = new ClusterSettings(Settings.EMPTY, ClusterSettings.BUILT_IN_CLUSTER_SETTINGS, Set.of());
        try {
            // A node does the same in its constructor.
            new SearchRequestSlowLog(new ClusterService(Settings.EMPTY, settings, null));
            System.out.println("created");
        } catch (NoClassDefFoundError error) {
            System.out.println("missing: " + error.getMessage());
        }
    }
}
JAVA
mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory=jars
if ls jars/log4j-core-*.jar 2> /dev/null; then
    echo "The behaviour has changed: log4j-core is no longer optional."
    exit 1
fi
result=$(java -classpath 'jars/*' SlowLog.java 2> errors.txt || cat errors.txt)
echo "OpenSearch 2.19.6 with the jars that Maven resolves for it: $result"
if [ "$result" != "missing: org/apache/logging/log4j/core/config/Configurator" ]; then
    echo "The behaviour has changed."
    exit 1
fi
