// API_URL=https://… npx orval --config orval.config.mjs
const { API_URL } = process.env;

export default {
  iyagi: {
    input: `${API_URL}/v1/openapi.json`,
    output: { target: "orval.ts", client: "fetch", baseUrl: API_URL },
  },
};
