import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import org.opensearch.action.support.WriteRequest.RefreshPolicy;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.query.QueryBuilders;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * One node of OpenSearch on the loopback interface. OpenSearch's own launcher needs an installed distribution, and refuses
 * to run as root, as whom tests in containers run.
 *
 * <p>Arguments: the data folder, the port (0: a free one), and settings as name=value. The first line of output is JSON
 * with the URL. The server ends when its standard input is closed.
 */
public final class LocalServer extends Node {
    private LocalServer(Settings settings, Path home) {
        super(
            InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "local"),
            List.of(Netty4Plugin.class, CommonAnalysisPlugin.class, NoriPlugin.class),
            false);
    }

    /** Loads the classes that the first requests would have to load. On a busy machine that takes longer than a timeout. */
    private void warmUp() {
        String index = "warm-up-" + UUID.randomUUID();
        Settings.Builder settings = Settings.builder()
            .put("index.number_of_shards", 1)
            .put("index.number_of_replicas", 0)
            .put("index.analysis.analyzer.default.type", "custom")
            .put("index.analysis.analyzer.default.tokenizer", "nori_tokenizer");
        client().admin().indices().prepareCreate(index).setSettings(settings).get();
        client().prepareIndex(index).setSource("text", "서울").setRefreshPolicy(RefreshPolicy.IMMEDIATE).get();
        client().prepareSearch(index).setQuery(QueryBuilders.matchQuery("text", "서울")).get();
        client().admin().indices().prepareDelete(index).get();
    }

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toAbsolutePath();
        Settings.Builder settings = Settings.builder()
            .put("path.home", home.toString())
            .put("cluster.name", "local")
            .put("node.name", "local")
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[1])
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("discovery.type", "single-node")
            // The disk of a development machine is often nearly full.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (String setting : List.of(arguments).subList(2, arguments.length)) {
            String[] parts = setting.split("=", 2);
            settings.put(parts[0], parts[1]);
        }
        LocalServer server = new LocalServer(settings.build(), home);
        server.start();
        server.warmUp();
        var address = server.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
        System.out.println("{\"url\":\"http://127.0.0.1:" + address.getPort() + "\"}");
        while (System.in.read() >= 0) {
            continue;
        }
        server.close();
        // Threads of the server could keep the process alive.
        System.exit(0);
    }
}
