import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ["ponderosa-source"] },
  ssr: { resolve: { conditions: ["ponderosa-source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 20_000,
    pool: "threads",
    reporters: ["default", "./tools/closing-line.ts"],
  },
});
export default config;
