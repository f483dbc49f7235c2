from readme_session import run_readme


def test_the_session_runs_as_printed(mlpd):
    def restart():
        mlpd.stop()
        mlpd.flags += ["--listen", f"127.0.0.1:{mlpd.port}"]
        mlpd.start()

    run_readme(mlpd.url, mlpd.folder, restart)
